"""Throughput at saturation: a base of hidden size 768, 128 output tokens, through and direct.

A part of the bench `serve`. As many streams at once as keep the engine busy, pair by pair; each
stream is checked. Owns this row and its bar.
"""

import contextlib
import json
import statistics

from .rows import Row
from .serve_latency import said
from .serve_sides import Side
from .serve_wire import Heard, Line, saturate

BAR = 0.97
LINES, WORDS, PAIRS = 8, 128, 15
COMPLETIONS = "/v1/completions"


def throughput_rows(engine: Side, gateway: Side, *, pairs: int = PAIRS) -> list[Row]:
    """Tokens a second through the gateway / direct, once streamed and once whole."""
    return [_row(engine, gateway, stream=stream, pairs=pairs) for stream in (True, False)]


def _row(engine: Side, gateway: Side, *, stream: bool, pairs: int) -> Row:
    seen: list[tuple[float, float]] = []
    answers: list[tuple[list[object], ...]] = []
    for _ in range(1 + pairs):
        theirs, told = tokens_per_s(engine, stream=stream)
        ours, heard = tokens_per_s(gateway, stream=stream)
        seen.append((ours, theirs))
        answers.append((told, heard))
    ratios = [ours / theirs for ours, theirs in seen[1:]]
    return Row(
        f"throughput through the gateway / direct, hidden 768, {LINES} requests at once, {WORDS} "
        f"tokens, {'streamed' if stream else 'whole'}",
        statistics.median(ratios),
        pairs,
        op=">=",
        bar=BAR,
        equal=all(told == heard for told, heard in answers),
        ours={
            "tokens_per_s": statistics.median(ours for ours, _ in seen[1:]),
            "ratio_low": min(ratios),
            "ratio_high": max(ratios),
        },
        theirs={"tokens_per_s": statistics.median(theirs for _, theirs in seen[1:])},
    )


def tokens_per_s(side: Side, *, stream: bool) -> tuple[float, list[object]]:
    """Tokens a second of one round, and what was answered."""
    with contextlib.ExitStack() as stack:
        lines = [
            stack.enter_context(Line(side.url, key=side.key, timeout_s=300)) for _ in range(LINES)
        ]
        requests = [
            lines[0].request(COMPLETIONS, _body(side.model, place, stream=stream))
            for place in range(LINES)
        ]
        heard: list[Heard] = []

        def keep(one: Heard) -> bool:
            heard.append(one)
            return one.status == 200

        seconds, wrong = saturate(lines, requests, keep)
    if wrong:
        raise RuntimeError(f"{wrong} of {LINES} requests failed: {heard[0].body[:200]!r}")
    answers = sorted((said(one) for one in heard), key=json.dumps)
    return LINES * WORDS / seconds, [part for answer in answers for part in answer]


def _body(model: str, place: int, *, stream: bool) -> dict[str, object]:
    return {
        "model": model,
        "prompt": [10 + 3 * place + step for step in range(16)],
        "max_tokens": WORDS,
        "temperature": 0,
        "ignore_eos": True,
        "stream": stream,
    }
