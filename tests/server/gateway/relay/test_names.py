"""The public name comes back whatever the cut, and nothing else changes."""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.server.gateway.relay.names import ModelName

PRIVATE, PUBLIC = "sql--v1--abcdef012345", 'sql@prod "q"'


def feed_all(chunks: list[bytes], private: str = PRIVATE, public: str = PUBLIC) -> bytes:
    name = ModelName(private, public=public)
    return b"".join(name.feed(chunk) for chunk in chunks) + name.end()


@settings(deadline=None)
@given(st.lists(st.integers(0, 10_000), max_size=6), st.sampled_from([(",", ":"), (", ", ": ")]))
def test_any_cut_gives_the_same_bytes(cuts: list[int], separators: tuple[str, str]) -> None:
    said = f'I am "model":"{PRIVATE}" and model {PRIVATE}'
    event = {"id": "1", "model": PRIVATE, "choices": [{"delta": {"content": said}}]}
    wanted = {**event, "model": PUBLIC}
    stream, expected = (
        b"".join(b"data: " + json.dumps(e, separators=separators).encode() + b"\n\n" for e in pair)
        for pair in ([event] * 3, [wanted] * 3)
    )
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    chunks = [stream[a:b] for a, b in itertools.pairwise(places)]
    assert feed_all(chunks) == expected


def test_a_text_that_quotes_the_name_is_left_alone() -> None:
    body = json.dumps({"model": PRIVATE, "text": f'"model":"{PRIVATE}"'}, separators=(",", ":"))
    restored = json.loads(feed_all([body.encode()]))
    assert restored == {"model": PUBLIC, "text": f'"model":"{PRIVATE}"'}


def test_chunks_that_end_an_event_are_not_held_back() -> None:
    name = ModelName(PRIVATE, public=PUBLIC)
    assert name.feed(b'data: {"a":1}\n\n') == b'data: {"a":1}\n\n'


def test_the_base_passes_untouched() -> None:
    assert feed_all([b'{"mod', b'el":"base"}'], "base", "base") == b'{"model":"base"}'


@pytest.mark.parametrize(("unique", "expected"), [(True, "no sql@1"), (False, f"no {PRIVATE}")])
def test_errors_lose_a_unique_private_name(unique: bool, expected: str) -> None:
    name = ModelName(PRIVATE, public="sql@1", unique=unique)
    body = json.dumps({"error": {"message": f"no {PRIVATE}"}}).encode()
    assert json.loads(name.everywhere(body))["error"]["message"] == expected


@pytest.mark.parametrize("model_first", [True, False])
def test_what_a_client_sent_along_comes_back_as_it_was(model_first: bool) -> None:
    own = {"metadata": {"model": "base"}, "tools": [{"model": "base"}]}
    answer: dict[str, object] = (
        {"model": "base", **own} if model_first else {**own, "model": "base"}
    )
    wanted = {**answer, "model": "csv"}
    whole = json.dumps(answer, separators=(",", ":")).encode()
    assert json.loads(ModelName("base", public="csv", echoes=True).feed(whole)) == wanted
    events = b"".join(
        b"event: x\ndata: " + json.dumps(event, separators=(",", ":")).encode() + b"\n\n"
        for event in ({"response": answer}, {"delta": "no model"}, {"response": {"model": "base"}})
    )
    name = ModelName("base", public="csv", echoes=True)
    passed = (name.feed(events) + name.end()).split(b"\n\n")
    told = [json.loads(event.partition(b"data: ")[2]) for event in passed[:-1]]
    assert told == [{"response": wanted}, {"delta": "no model"}, {"response": {"model": "csv"}}]
    assert passed[1] == events.split(b"\n\n")[1]
