"""The bare client and the fake engine of the bench: they understand each other and others."""

import json
import os
from collections.abc import Iterator

import httpx
import pytest
from skillweave.scripts.bench.serve_latency import Told, chat, delays, in_turn, quantile, said
from skillweave.scripts.bench.serve_sides import Side, upstream
from skillweave.scripts.bench.serve_throughput import tokens_per_s
from skillweave.scripts.bench.serve_upstream import events, whole
from skillweave.scripts.bench.serve_wire import Heard, Line, saturate


@pytest.fixture(scope="module")
def engine() -> Iterator[Side]:
    with upstream() as side:
        yield side


def heard(total_s: float, *, body: bytes = b"{}") -> Heard:
    return Heard(200, {"content-type": "application/json"}, body, total_s, total_s)


def test_quantiles_are_by_the_nearest_rank() -> None:
    values = [float(n) for n in range(1, 101)]
    assert [quantile(values, q) for q in (0.5, 0.99, 1.0)] == [50.0, 99.0, 100.0]
    assert quantile([3.0], 0.99) == 3.0


def test_what_is_added_is_the_difference_of_quantiles() -> None:
    told = Told((heard(1.0), heard(2.0), heard(3.0)), (heard(1.5), heard(2.25), heard(9.0)))
    assert told.added(0.5, lambda one: one.total_s) == pytest.approx(0.25)
    assert told.added(1.0, lambda one: one.total_s) == pytest.approx(6.0)


def test_sides_are_equal_but_for_names_and_times() -> None:
    mine = heard(1.0, body=whole("a", 2, chat=True))
    assert Told((mine,), (heard(2.0, body=whole("b", 2, chat=True)),)).equal()
    assert not Told((mine,), (heard(1.0, body=whole("a", 3, chat=True)),)).equal()


def test_the_client_hears_what_another_client_hears(engine: Side) -> None:
    body = {**chat(3), "model": engine.model}
    with Line(engine.url) as line:
        ours = line.ask(line.request("/v1/chat/completions", body))
    theirs = httpx.post(f"{engine.url}/v1/chat/completions", json=body)
    assert (ours.status, ours.body) == (theirs.status_code, theirs.content)
    assert ours.body == whole(engine.model, 3, chat=True)


def test_a_stream_is_put_together_and_timed(engine: Side) -> None:
    with Line(engine.url) as line:
        body = {**chat(4, stream=True, gap_us=2000), "model": engine.model}
        streamed = line.ask(line.request("/v1/chat/completions", body))
    expected = b"".join(events(engine.model, 4, chat=True))
    again = Heard(200, {"content-type": "text/event-stream"}, expected, 0.0, 0.0)
    assert said(streamed) == said(again)
    assert said(streamed)[-1] == {"end": "[DONE]"}
    assert len(delays([streamed])) == 4
    assert 0.0 < streamed.first_s < streamed.total_s


def stream(*choices: dict[str, object]) -> Heard:
    documents = [json.dumps({"id": str(n), "choices": [c]}) for n, c in enumerate(choices)]
    body = "".join(f"data: {text}\n\n" for text in [*documents, "[DONE]"])
    return Heard(200, {"content-type": "text/event-stream"}, body.encode(), 0.0, 0.0)


def test_two_tokens_in_one_event_say_what_they_say_in_two() -> None:
    begin = {"delta": {"role": "assistant", "content": ""}, "finish_reason": None}
    one, two = ({"delta": {"content": text}, "finish_reason": None} for text in ("a ", "b"))
    both = {"delta": {"content": "a b"}, "finish_reason": None}
    end = {"delta": {}, "finish_reason": "stop"}
    assert said(stream(begin, one, two, end)) == said(stream(begin, both, end))
    assert said(stream(begin, one, two, end)) != said(stream(begin, two, one, end))
    assert said(stream(begin, one, two, end)) != said(stream(begin, one, two))


def test_asked_in_turn_both_sides_answer_alike(engine: Side) -> None:
    told = in_turn(engine, engine, chat(2), pairs=3)
    assert told.equal()
    assert len(told.direct) == len(told.through) == 3


def test_many_lines_ask_everything_once(engine: Side) -> None:
    lines = [Line(engine.url) for _ in range(3)]
    bodies = [{**chat(words), "model": engine.model} for words in range(1, 8)]
    got: list[bytes] = []

    def keep(one: Heard) -> bool:
        got.append(one.body)
        return True

    _, wrong = saturate(
        lines, [lines[0].request("/v1/chat/completions", body) for body in bodies], keep
    )
    for line in lines:
        line.close()
    assert wrong == 0
    assert sorted(got) == sorted(whole(engine.model, words, chat=True) for words in range(1, 8))


@pytest.mark.parametrize("stream", [False, True])
def test_a_round_at_saturation_is_checked_as_a_whole(engine: Side, stream: bool) -> None:
    per_s, answers = tokens_per_s(engine, stream=stream)
    assert per_s > 0
    assert answers == tokens_per_s(engine, stream=stream)[1]
    assert json.dumps(answers).count("word") == 8 * 128


def test_a_closed_connection_is_an_error(engine: Side) -> None:
    with Line(engine.url) as line:
        line.close()
        with pytest.raises(OSError, match=os.strerror(9)):
            line.ask(line.request("/v1/completions", {}))


def test_a_side_knows_what_it_costs(engine: Side) -> None:
    before = engine.cpu_s
    in_turn(engine, engine, chat(64), pairs=40)
    assert engine.cpu_s >= before
    assert engine.memory_bytes > 1_000_000


def test_events_are_json_and_end() -> None:
    *first, last = events("m", 2, chat=False, clock=lambda: 5)
    assert last == b"data: [DONE]\n\n"
    documents = [json.loads(event.removeprefix(b"data: ")) for event in first]
    assert [one["sent_ns"] for one in documents] == [5, 5]
    assert documents[-1]["choices"][0]["finish_reason"] == "length"
