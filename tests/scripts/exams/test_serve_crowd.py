"""The judge of the exam: what is right, what is a documented refusal, what is a fault."""

import json

import pytest
from skillweave.scripts.bench.serve_wire import Heard
from skillweave.scripts.exams.serve_crowd import TEXTS, Crowd, events_of, is_openai_error

TEXT = TEXTS[0]
RIGHT = "<mark> one two"
ERROR = {"error": {"message": "the engine is away", "type": "x", "param": None, "code": None}}


@pytest.fixture
def crowd() -> Crowd:
    made = Crowd("http://127.0.0.1:1", ["a"])
    made._right = {("a", TEXT): RIGHT}
    return made


def whole(text: str, status: int = 200) -> Heard:
    body = json.dumps({"choices": [{"text": text}]}).encode()
    return Heard(status, {}, body, 0.0, 0.0)


def stream(*events: object, done: bool = True) -> Heard:
    parts = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events]
    return Heard(200, {}, b"".join([*parts, b"data: [DONE]\n\n" if done else b""]), 0.0, 0.0)


def piece(text: str) -> object:
    return {"choices": [{"text": text}]}


def judged(crowd: Crowd, heard: Heard, *, streamed: bool) -> tuple[int, int, int]:
    crowd.judge(heard, "a", TEXT, stream=streamed)
    tally = crowd.tally
    return tally.answered, sum(tally.refused.values()), len(tally.faults)


def test_right_answers(crowd: Crowd) -> None:
    assert judged(crowd, whole(RIGHT), streamed=False) == (1, 0, 0)
    assert judged(crowd, stream(piece("<mark>"), piece(" one two")), streamed=True) == (2, 0, 0)


def test_wrong_words_are_a_fault(crowd: Crowd) -> None:
    assert judged(crowd, whole("<other> one two"), streamed=False) == (0, 0, 1)
    assert judged(crowd, stream(piece("<other>")), streamed=True) == (0, 0, 2)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_documented_refusals(crowd: Crowd, status: int) -> None:
    heard = Heard(status, {}, json.dumps(ERROR).encode(), 0.0, 0.0)
    assert judged(crowd, heard, streamed=False) == (0, 1, 0)


@pytest.mark.parametrize(
    ("status", "body"), [(500, json.dumps(ERROR).encode()), (503, b"oops"), (404, b"{}")]
)
def test_other_refusals_are_faults(crowd: Crowd, status: int, body: bytes) -> None:
    assert judged(crowd, Heard(status, {}, body, 0.0, 0.0), streamed=False) == (0, 0, 1)


def test_a_stream_may_break_off_with_an_error_event(crowd: Crowd) -> None:
    assert judged(crowd, stream(piece("<mark>"), ERROR, done=False), streamed=True) == (0, 1, 0)


def test_a_stream_may_not_break_off_in_silence_or_after_wrong_words(crowd: Crowd) -> None:
    assert judged(crowd, stream(piece("<mark>"), done=False), streamed=True) == (0, 0, 1)
    assert judged(crowd, stream(piece("<x>"), ERROR, done=False), streamed=True) == (0, 0, 2)


def test_a_traceback_is_a_fault_whatever_the_status(crowd: Crowd) -> None:
    heard = Heard(503, {}, b"Traceback (most recent call last)", 0.0, 0.0)
    assert judged(crowd, heard, streamed=False) == (0, 0, 1)
    assert len(crowd.tally.tracebacks) == 1


def test_events_without_choices_say_nothing() -> None:
    assert events_of(stream(piece("a"), {"choices": [], "usage": {}})) == ("a", True, None)


def test_what_is_an_error_document() -> None:
    assert is_openai_error(json.dumps(ERROR).encode())
    assert not is_openai_error(b'{"detail": "x"}')
    assert not is_openai_error(b"[]")
