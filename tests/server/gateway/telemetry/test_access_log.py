"""The access log: what a line says, and that nothing that happens to a file holds up an answer."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from skillweave.server.gateway.telemetry.access_log import AccessLog, line_of, rotate
from skillweave.server.gateway.telemetry.span import Span


def a_span(**facts: object) -> Span:
    span = Span("/v1/chat/completions", "id-1", began=100.0)
    for name, value in facts.items():
        setattr(span, name, value)
    return span


@contextmanager
def logging_to(target: Path | int, **options: int) -> Iterator[tuple[AccessLog, list[int]]]:
    lost: list[int] = []
    log = AccessLog(target, dropped=lost.append, **options)
    try:
        yield log, lost
    finally:
        log.close()


def test_a_line_says_who_what_and_how_long() -> None:
    span = a_span(
        key_id="k1",
        adapter="team/sql",
        version="3",
        form="adapter",
        route="auto: the words of a prompt",
        engine="http://127.0.0.1:1",
        status=200,
        streaming=True,
        sent=100.0015,
        first_byte=100.25,
        ended=101.5,
        prompt_tokens=7,
        completion_tokens=0,
    )
    line = line_of(span, at=0.0)
    assert line.endswith("\n")
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.000Z",
        "request_id": "id-1",
        "path": "/v1/chat/completions",
        "status": 200,
        "outcome": "ok",
        "key": "k1",
        "adapter": "team/sql",
        "version": "3",
        "form": "adapter",
        "route": "selector",  # a router's reason may quote a prompt
        "engine": "http://127.0.0.1:1",
        "wait_ms": 1.5,
        "ttft_ms": 250.0,
        "duration_ms": 1500.0,
        "prompt_tokens": 7,
        "completion_tokens": 0,
    }


def test_what_is_not_known_is_left_out_and_a_line_is_one_line() -> None:
    line = line_of(a_span(adapter="a\nb" + "x" * 1000, status=404, outcome="NotFound"), at=0.0)
    assert line.count("\n") == 1
    facts = json.loads(line)
    assert len(facts["adapter"]) == 300
    assert "ttft_ms" not in facts
    assert "key" not in facts


def test_lines_come_in_order_and_all_of_them(tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    with logging_to(file) as (log, lost):
        for number in range(500):
            log.write(a_span(status=number))
    assert [json.loads(line)["status"] for line in file.read_text().splitlines()] == [*range(500)]
    assert lost == []
    assert file.stat().st_mode & 0o007 == 0


def test_a_long_file_is_put_aside(tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    for number in range(4):
        with logging_to(file, max_bytes=150, keep=2) as (log, _):
            log.write(a_span(status=number))
    said = {each.name: json.loads(each.read_text())["status"] for each in tmp_path.iterdir()}
    assert said == {"access.log": 3, "access.log.1": 2, "access.log.2": 1}


def test_a_file_that_somebody_moves_away_is_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    with logging_to(file) as (log, _):
        log.write(a_span(status=1))
        while not (file.exists() and file.read_text()):
            pass
        file.rename(tmp_path / "moved")
        log.write(a_span(status=2))
    assert json.loads(file.read_text())["status"] == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_loses_lines_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    with logging_to(os.open("/dev/full", os.O_WRONLY)) as (log, lost):
        log.write(a_span())
        log.write(a_span())
    assert sum(lost) == 2
    assert "loses lines" in caplog.text


def test_a_descriptor_is_written_to_as_it_is() -> None:
    read_fd, write_fd = os.pipe()
    with logging_to(write_fd) as (log, _):
        log.write(a_span(status=200))
    os.close(write_fd)
    assert json.loads(os.read(read_fd, 10_000))["status"] == 200
    os.close(read_fd)


def test_putting_aside_without_keeping_removes(tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    file.write_text("x")
    rotate(file, keep=0)
    assert list(tmp_path.iterdir()) == []
