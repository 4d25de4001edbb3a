"""Our request headers and the estimate of tokens, by hand."""

import pytest
from skillweave.server.gateway.errors import RequestRefused
from skillweave.server.gateway.relay.asked import (
    Wishes,
    read_wishes,
    tokens_of_answers,
    tokens_of_prompt,
)


def test_headers() -> None:
    other = (b"authorization", b"Bearer x")
    assert read_wishes([other]) == Wishes(None, None)
    given = [(b"x-skillweave-session", b"s1"), other, (b"x-skillweave-timeout-s", b" 2.5 ")]
    assert read_wishes(given) == Wishes("s1", 2.5)


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ([(b"x-skillweave-session", b"")], "1 to 256"),
        ([(b"x-skillweave-session", b"s" * 257)], "257 characters"),
        ([(b"x-skillweave-session", b"a"), (b"x-skillweave-session", b"b")], "twice"),
        ([(b"x-skillweave-timeout-s", b"soon")], "'soon'"),
        ([(b"x-skillweave-timeout-s", b"86401")], "at most 86400"),
    ],
)
def test_headers_that_are_refused(headers: list[tuple[bytes, bytes]], says: str) -> None:
    with pytest.raises(RequestRefused, match=says):
        read_wishes(headers)


@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        ({}, 0),
        ({"prompt": "a" * 40}, 10),
        ({"prompt": [1, 2, 3]}, 3),
        ({"prompt": [[1, 2], [3]]}, 3),
        ({"prompt": ["a" * 8, "b" * 8]}, 4),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "a" * 32}]}]}, 10),
        ({"input": "a" * 8, "instructions": "b" * 8}, 4),
    ],
)
def test_tokens_of_a_prompt(fields: dict[str, object], tokens: int) -> None:
    assert tokens_of_prompt(fields) == tokens


@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        ({}, 256),
        ({"max_tokens": 10}, 10),
        ({"max_tokens": 10, "max_completion_tokens": 5, "n": 3}, 15),
        ({"max_output_tokens": 7, "n": None}, 7),
        ({"max_tokens": True, "n": -2}, 256),
    ],
)
def test_tokens_of_answers(fields: dict[str, object], tokens: int) -> None:
    assert tokens_of_answers(fields) == tokens
