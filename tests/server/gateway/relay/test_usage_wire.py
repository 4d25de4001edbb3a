"""Tokens of an answer, read in passing; nothing else of it changes, wherever it is cut."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skillweave.server.gateway.relay.usage_wire import (
    StreamMeter,
    Tokens,
    asks_for_usage,
    tokens_of_event,
    usage_control,
    usage_of,
)

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def dumped(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def event(**fields: object) -> bytes:
    return b"data: " + dumped({"id": "x", "model": "m", **fields}) + b"\n\n"


def word(text: str) -> bytes:
    return event(choices=[{"index": 0, "delta": {"content": text}}])


WORDS = [word("a"), word(' "usage":{"prompt_tokens":1} \n\n data: '), word("c")]
LAST = event(choices=[], usage=USAGE)
DONE = b"data: [DONE]\n\n"


@given(st.sets(st.integers(1, 600)), st.booleans())
def test_a_stream_cut_anywhere(cuts: set[int], withhold: bool) -> None:
    stream = b"".join([*WORDS, LAST, DONE])
    meter = StreamMeter("chat", withhold=withhold)
    places = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    pieces = [stream[a:b] for a, b in itertools.pairwise(places)]
    passed = b"".join(meter.feed(piece) for piece in pieces) + meter.end()
    assert passed == b"".join([*WORDS, *([] if withhold else [LAST]), DONE])
    assert meter.tokens == Tokens(7, 3)
    assert meter.num_events >= 5


def test_a_stream_that_breaks_off_loses_no_byte() -> None:
    meter = StreamMeter("chat", withhold=True)
    assert meter.feed(WORDS[0] + b"data: {half") == WORDS[0]
    assert meter.end() == b"data: {half"
    assert meter.tokens is None
    assert meter.num_events == 1


def test_line_ends_of_the_other_kind() -> None:
    meter = StreamMeter("chat", withhold=True)
    stream = [each.replace(b"\n", b"\r\n") for each in (word("a"), LAST, DONE)]
    assert [meter.feed(each) for each in stream] == [stream[0], b"", stream[2]]


def test_usage_in_every_event_is_read_and_passed_on() -> None:
    meter = StreamMeter("chat", withhold=False)
    each = event(choices=[{"index": 0, "delta": {}}], usage={"prompt_tokens": 7})
    assert meter.feed(each) == each
    assert meter.tokens == Tokens(7, 0)
    assert meter.feed(LAST) == LAST
    assert meter.tokens == Tokens(7, 3)


def test_a_stream_of_responses() -> None:
    meter = StreamMeter("response", withhold=True)
    tool = {"usage": {"input_tokens": 0, "output_tokens": 0}}
    first = {"type": "response.created", "response": {"metadata": tool, "usage": None}}
    usage = {"input_tokens": 5, "output_tokens": 2}
    last = {"type": "response.completed", "response": {"usage": usage, "metadata": tool}}
    stream = b"".join(
        b"event: " + str(each["type"]).encode() + b"\ndata: " + dumped(each) + b"\n\n"
        for each in (first, last)
    )
    assert meter.feed(stream) == stream
    assert meter.tokens == Tokens(5, 2)


@pytest.mark.parametrize("gap", [(",", ":"), (", ", ": ")])
def test_a_whole_answer(gap: tuple[str, str]) -> None:
    text = 'they say "usage":{"prompt_tokens":1}'
    answer = {"choices": [{"message": {"content": text}}], "usage": USAGE, "prompt_text": text}
    assert usage_of(json.dumps(answer, separators=gap).encode(), "chat") == Tokens(7, 3)


def test_nested_details_and_null_behind() -> None:
    usage = {**USAGE, "prompt_tokens_details": {"cached_tokens": 4}}
    answer = {"choices": [], "usage": usage, "later": {"usage": None}}
    assert usage_of(dumped(answer), "completion") == Tokens(7, 3)


def test_what_a_client_sends_along_is_not_its_bill() -> None:
    free = {"usage": {"input_tokens": 0, "output_tokens": 0}}
    usage = {"input_tokens": 5, "output_tokens": 2}
    assert usage_of(dumped({"tools": [free], "usage": usage, "x": free}), "response") == Tokens(
        5, 2
    )


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"count":3}', b'{"usage":null}', b'{"usage":{', b'{"usage":{"a":1}}']
)
def test_no_usage(body: bytes) -> None:
    assert usage_of(body, "chat") is None
    assert usage_of(body, "response") is None


def test_only_a_stream_that_does_not_ask_is_asked_for_it() -> None:
    asked = {"stream_options": {"include_usage": True}}
    assert usage_control({"stream": True}, "chat") == asked
    off = {"stream": True, "stream_options": {"include_usage": False, "continuous_usage_stats": 1}}
    assert usage_control(off, "completion") == asked
    assert usage_control({"stream": True, **asked}, "chat") == {}
    assert usage_control({"stream": False}, "chat") == {}
    assert usage_control({"stream": True, "stream_options": "bad"}, "chat") == {}
    assert usage_control({"stream": True}, "response") == {}


@pytest.mark.parametrize("yes", [True, 1, 1.0, "true", "TRUE", "1", "on", "yes", "y", "t"])
def test_whatever_an_engine_takes_for_yes_is_a_stream_that_is_counted(yes: object) -> None:
    asked = {"stream_options": {"include_usage": True}}
    assert usage_control({"stream": yes}, "chat") == asked
    assert asks_for_usage({"stream_options": {"include_usage": yes}})


@pytest.mark.parametrize("no", [False, None, 0, "false", "off", "0", "no", 2, "maybe", [1], {}])
def test_whatever_it_takes_for_no_asks_for_nothing_and_is_counted_all_the_same(no: object) -> None:
    asked = {"stream_options": {"include_usage": True}}
    assert usage_control({"stream": no}, "chat") == {}
    assert usage_control({"stream": True, "stream_options": {"include_usage": no}}, "chat") == asked


def test_events_that_hold_many_tokens_each_count_as_many() -> None:
    assert tokens_of_event({}) == 1
    assert tokens_of_event({"stream_interval": 50}) == 50
    assert tokens_of_event({"stream_interval": "50"}) == 50
    for odd in (None, 0, -3, True, "x", [2], 1.5, "9" * 5000):
        assert tokens_of_event({"stream_interval": odd}) == 1
