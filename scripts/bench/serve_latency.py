"""What the gateway adds to one request, asked by one client in turn with the engine itself.

A part of the bench `serve`. Direct, through the gateway, direct, through the gateway ...; a figure
is a quantile of one side less the same quantile of the other. Owns these figures and their bars.
"""

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .rows import Row
from .serve_sides import Side
from .serve_wire import Heard, Line

BAR_P50_S, BAR_P99_S, BAR_FIRST_S, BAR_CHUNK_S = 0.8e-3, 2.5e-3, 1.2e-3, 30e-6
CHAT = "/v1/chat/completions"
WARMUP = 20
_STREAM_EVENTS = 1000
_PACED_EVENTS, _GAP_US = 300, 1000


@dataclass(frozen=True)
class Told:
    """What both sides answered to the same request, in turn."""

    direct: tuple[Heard, ...]
    through: tuple[Heard, ...]

    def equal(self) -> bool:
        """Whether every pair says the same, but for names, ids and times."""
        pairs = zip(self.direct, self.through, strict=True)
        return all(a.status == b.status == 200 and said(a) == said(b) for a, b in pairs)

    def added(self, q: float, of: Callable[[Heard], float]) -> float:
        """A quantile through the gateway less the same quantile without it, seconds."""
        return quantile([of(h) for h in self.through], q) - quantile(
            [of(h) for h in self.direct], q
        )


def chat(words: int, *, stream: bool = False, gap_us: int = 0) -> dict[str, object]:
    """A request for `words` tokens, without its model."""
    gap = {"gap_us": gap_us} if gap_us else {}
    question = [{"role": "user", "content": "Reverse the words: one two three four."}]
    return {
        "messages": question,
        "max_tokens": words,
        "temperature": 0,
        "ignore_eos": True,
        "stream": stream,
        **gap,
    }


def in_turn(direct: Side, through: Side, body: dict[str, object], *, pairs: int) -> Told:
    """Ask both, one after the other, on a connection each."""
    with Line(direct.url, key=direct.key) as here, Line(through.url) as there:
        near = here.request(CHAT, {**body, "model": direct.model})
        far = there.request(CHAT, {**body, "model": through.model})
        warmup = min(WARMUP, pairs)
        both = [(here.ask(near), there.ask(far)) for _ in range(warmup + pairs)][warmup:]
    return Told(tuple(a for a, _ in both), tuple(b for _, b in both))


def said(heard: Heard) -> list[object]:
    """The JSON of an answer, or what a stream says in all, without what may differ.

    An engine that is ahead of its sender puts two tokens into one event, so of a stream the text
    is taken together; every event that says something else follows.
    """
    if not heard.headers.get("content-type", "").startswith("text/event-stream"):
        return [_bare(heard.body)]
    text, rest = "", list[object]()
    for part in filter(None, heard.body.split(b"\n\n")):
        event = _bare(part.removeprefix(b"data: "))
        choices = event.get("choices", ())
        deltas = [choice.get("delta", {}) for choice in choices]
        text += "".join(delta.pop("content", None) or "" for delta in deltas)
        text += "".join(choice.pop("text", "") for choice in choices)
        if not choices or any(deltas) or any(row.get("finish_reason") for row in choices):
            rest.append(event)
    return [text, *rest]


def quantile(values: Sequence[float], q: float) -> float:
    """By the nearest rank; `q` in (0, 1]."""
    ordered = sorted(values)
    return ordered[max(0, -(-round(q * 1000) * len(ordered) // 1000) - 1)]


def whole_rows(direct: Side, through: Side, what: str, *, pairs: int, words: int) -> list[Row]:
    """Added p50 and p99 of whole answers, and what one request costs the gateway."""
    before = through.cpu_s
    told = in_turn(direct, through, chat(words), pairs=pairs)
    cpu_s = (through.cpu_s - before) / (pairs + min(WARMUP, pairs))
    equal = told.equal()

    def row(figure: str, q: float, bar: float) -> Row:
        return Row(
            f"added latency {figure}, {what}, one client (s)",
            told.added(q, lambda heard: heard.total_s),
            pairs,
            op="<=",
            bar=bar,
            equal=equal,
            ours=_sides(told.through, lambda heard: heard.total_s),
            theirs=_sides(told.direct, lambda heard: heard.total_s),
        )

    cost = Row(f"CPU of the gateway for a request, {what} (s)", cpu_s, pairs, equal=equal)
    return [row("p50", 0.5, BAR_P50_S), row("p99", 0.99, BAR_P99_S), cost]


def first_row(direct: Side, through: Side, what: str, *, pairs: int, words: int) -> Row:
    """Added time to the first bytes of a stream."""
    told = in_turn(direct, through, chat(words, stream=True, gap_us=100), pairs=pairs)
    return Row(
        f"added time to first token p50, streaming, {what} (s)",
        told.added(0.5, lambda heard: heard.first_s),
        pairs,
        op="<=",
        bar=BAR_FIRST_S,
        equal=told.equal(),
        ours=_sides(told.through, lambda heard: heard.first_s),
        theirs=_sides(told.direct, lambda heard: heard.first_s),
    )


def chunk_rows(direct: Side, through: Side, *, pairs: int) -> list[Row]:
    """What a chunk adds: to the length of a stream at full speed, and in delay where it is paced.

    At full speed every event is a write of its own, as soon as the one before has gone. The paced
    stream (an event each millisecond) shows how long one event is under way, and what it costs.
    """
    fast = in_turn(direct, through, chat(_STREAM_EVENTS, stream=True), pairs=pairs)
    each = fast.added(0.5, lambda heard: heard.total_s) / _STREAM_EVENTS
    before = through.cpu_s
    body = chat(_PACED_EVENTS, stream=True, gap_us=_GAP_US)
    paced = in_turn(direct, through, body, pairs=pairs)
    events = _PACED_EVENTS * (pairs + min(WARMUP, pairs))
    cpu_s = (through.cpu_s - before) / events
    late = statistics.median(delays(paced.through)) - statistics.median(delays(paced.direct))
    return [
        Row(
            f"added for a chunk of a stream of {_STREAM_EVENTS}, full speed, fake upstream (s)",
            each,
            pairs,
            op="<=",
            bar=BAR_CHUNK_S,
            equal=fast.equal(),
            ours=_sides(fast.through, lambda heard: heard.total_s),
            theirs=_sides(fast.direct, lambda heard: heard.total_s),
        ),
        Row("added delay of a chunk p50, one each ms (s)", late, events, equal=paced.equal()),
        Row("CPU of the gateway for a chunk, one each ms (s)", cpu_s, events, equal=paced.equal()),
    ]


def delays(streams: Sequence[Heard]) -> list[float]:
    """Seconds from the sending of an event to its arrival, over all events of all streams."""
    pairs = [
        (sent, arrived)
        for heard in streams
        for sent, arrived in zip(heard.sent_ns, heard.arrived_ns, strict=False)
    ]
    return [(arrived - sent) / 1e9 for sent, arrived in pairs]


def _sides(heard: Sequence[Heard], of: Callable[[Heard], float]) -> dict[str, object]:
    seconds = [of(one) for one in heard]
    return {"p50_s": quantile(seconds, 0.5), "p99_s": quantile(seconds, 0.99), "n": len(seconds)}


def _bare(part: bytes) -> dict[str, Any]:
    """A JSON document without ids, times and names; the end mark of a stream is one as well."""
    if part.strip() == b"[DONE]":
        return {"end": "[DONE]"}
    document: dict[str, Any] = json.loads(part)
    for name in ("id", "created", "model", "sent_ns", "system_fingerprint"):
        document.pop(name, None)
    return document
