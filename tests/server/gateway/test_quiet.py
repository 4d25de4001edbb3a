"""The log holds classes and places, never the words of an exception."""

import asyncio
import logging

import pytest
from skillweave.server.gateway.quiet import QuietFormatter, quiet_loop, told

SECRET = "what the user wrote"


def caused() -> BaseException:
    try:
        try:
            int(SECRET)
        except ValueError as err:
            raise KeyError(SECRET) from err
    except KeyError as err:
        return err


def test_an_exception_is_told_without_its_words() -> None:
    err = caused()
    record = logging.LogRecord(
        "x", logging.ERROR, __file__, 1, "unexpected on %s", ("/v1",), (type(err), err, None)
    )
    record.exc_info = (type(err), err, err.__traceback__)
    record.exc_text = f"somebody else's rendering with {SECRET}"
    line = QuietFormatter().format(record)
    assert SECRET not in line
    assert "\n" not in line
    assert "KeyError" in line
    assert "ValueError" in line
    assert "test_quiet.py" in line
    assert "unexpected on /v1" in line


def test_no_text_of_a_request_can_look_like_another_line() -> None:
    record = logging.LogRecord("x", 40, __file__, 1, "path %s", ("/a\nERROR forged\x1b[2J",), None)
    line = QuietFormatter().format(record)
    assert "\n" not in line
    assert "\x1b" not in line


def test_a_task_that_failed_unheard_is_told_the_same_way(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test() -> None:
        quiet_loop(
            asyncio.get_running_loop(),
            {"message": "Task exception was never retrieved", "exception": caused()},
        )

    asyncio.run(test())
    assert SECRET not in caplog.text
    assert "KeyError" in caplog.text


def test_a_circle_of_causes_ends() -> None:
    one, two = ValueError("a"), KeyError("b")
    one.__cause__, two.__cause__ = two, one
    assert "ValueError" in told(one)
