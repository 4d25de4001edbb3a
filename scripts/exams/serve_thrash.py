"""More adapters than slots: real vLLM asked directly, and through our gateway.

A part of the exam `serve`. 16 adapters, popular by Zipf 1.0, on an engine with 4 slots and 8 places
in host memory; arrivals are Poisson at 0.8 of what our side answers when it is always asked. One
engine, with our grouped kernel, serves both sides in turn: the direct side leaves it to vLLM who
is let in, ours holds back who has no slot.
Owns the figures and their bars, as ratios to the direct side of the same run. Refuses to own
traffic (`thrash_load.py`). `python -m skillweave.scripts.exams.serve_thrash --stock-only` prints
the direct side alone: the bar is written from it before ours is run.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from ...adapters import Card, Store, identify_base
from ...distill.tiny_base import tiny_base_path
from ...server.config import ServeConfig
from ...server.running import Running, serve_in_background
from ...server.state_file import EngineState, read_state
from ..bench.random_base import random_adapter
from ..bench.rows import Op, Row
from .thrash_load import Run, arrivals, drive, saturate, texts

ADAPTERS, SLOTS, HOST, RANK = 16, 4, 8, 8
LOUDNESS = 0.18
"""Of the random updates: enough that answers differ from adapter to adapter."""
SHARE = 0.8
"""Of our saturation; the rate at which both sides are asked."""
TOKENS = 48
STREAM_EVERY = 8
"""Tokens in an event, on both sides: the first one comes alone, the others cost little to send, so
that slots are short and not the time of the processes around the engine."""
CLIENTS = 64
SECONDS = 20.0
"""Length of one run; each side has two, in turn."""
LOADS_S = 60.0

BAR_P95 = 1.0
"""ttft p95, ours / direct. To be written after the direct side was measured, before ours is."""
BAR_THROUGHPUT = 0.97
"""Answers a second, ours / direct."""


@dataclass(frozen=True)
class Place:
    """A running server: its public address, and its engine."""

    running: Running
    engine: EngineState
    names: tuple[str, ...]
    """Public names; the engine's own are in `engine_names`."""
    engine_names: tuple[str, ...]
    max_wait_s: float


@contextlib.contextmanager
def serving(scratch: Path, **more: object) -> Iterator[Place]:
    """A server with `ADAPTERS` adapters, all loaded once."""
    base = tiny_base_path()
    identity = identify_base(base)
    store = Store(scratch / "store")
    names, digests = [], []
    for seed in range(ADAPTERS):
        folder = scratch / f"adapter-{seed}"
        random_adapter(folder, identity.modules, rank=RANK, seed=seed, scale=LOUDNESS)
        card = Card(kind="skill", base=identity.for_card())
        version = store.put(folder, card=card, name=f"skill-{seed:02d}")
        names.append(f"skill-{seed:02d}")
        digests.append(version.version_digest)
    fields = {
        "base": str(base),
        "store": store.root,
        "port": 0,
        "lora_slots": SLOTS,
        "max_lora_rank": RANK,
        "engine_args": ("--max-cpu-loras", str(HOST), "--stream-interval", str(STREAM_EVERY)),
        **more,
    }
    config = ServeConfig.model_validate(fields)
    with serve_in_background(config) as running:
        for name in names:
            _once(running.root, name)
        engine = _engine_of(running)
        inside = _engine_names(engine, digests)
        yield Place(running, engine, tuple(names), inside, config.admission.max_wait_s)


def rate_of(place: Place, *, requests: int = 400) -> tuple[float, float]:
    """Our saturation in answers a second, and the rate at which both sides are asked."""
    url = place.running.root
    work = saturate(url, place.names, clients=CLIENTS, requests=requests, tokens=TOKENS, seed=1)
    full = asyncio.run(work)
    return full, SHARE * full


def direct(place: Place, *, per_s: float, seconds: float, seed: int) -> Run:
    """One run against the engine itself."""
    plan = arrivals(per_s=per_s, seconds=seconds, adapters=ADAPTERS, seed=seed)
    key, url = place.engine.secret, place.engine.url
    return asyncio.run(drive(url, place.engine_names, plan, key=key, tokens=TOKENS))


def through(place: Place, *, per_s: float, seconds: float, seed: int) -> Run:
    """The same run through the gateway."""
    plan = arrivals(per_s=per_s, seconds=seconds, adapters=ADAPTERS, seed=seed)
    return asyncio.run(drive(place.running.root, place.names, plan, key=None, tokens=TOKENS))


def rows(*, seconds: float = SECONDS, seeds: Sequence[int] = (11, 12)) -> list[Row]:
    """Both sides in turn, the direct one first."""
    with (
        tempfile.TemporaryDirectory(prefix="skillweave-thrash-") as scratch,
        serving(Path(scratch)) as place,
    ):
        full, per_s = rate_of(place)
        theirs, ours = [], []
        for seed in seeds:
            theirs.append(direct(place, per_s=per_s, seconds=seconds, seed=seed))
            ours.append(through(place, per_s=per_s, seconds=seconds, seed=seed))
        waited = longest_wait_s(place.running)
    return judged(ours, theirs, full=full, waited=waited, bound_s=place.max_wait_s)


def judged(
    ours: Sequence[Run], theirs: Sequence[Run], *, full: float, waited: float, bound_s: float
) -> list[Row]:
    """The rows of what was measured."""
    equal = all(len(said) == 1 for said in texts([*ours, *theirs]).values())
    equal = equal and not any(run.failed for run in [*ours, *theirs])
    mine, other = joined(ours), joined(theirs)
    about = {"saturation_per_s": full, "asked_per_s": SHARE * full}
    mine_told, other_told = {**mine.document(), **about}, other.document()
    num = len(mine.answers)

    def row(figure: str, value: float, *, op: Op | None = None, bar: float | None = None) -> Row:
        return Row(figure, value, num, op, bar, equal, mine_told, other_told)

    return [
        row(
            "thrash: time to the first token, p95, ours / direct",
            mine.ttft_s(0.95) / other.ttft_s(0.95),
            op="<=",
            bar=BAR_P95,
        ),
        row(
            "thrash: time to the first token, p50, ours / direct",
            mine.ttft_s(0.5) / other.ttft_s(0.5),
        ),
        row(
            "thrash: answers a second, ours / direct",
            mine.per_s / other.per_s,
            op=">=",
            bar=BAR_THROUGHPUT,
        ),
        row("thrash: longest wait for a slot in the gateway, s", waited, op="<=", bar=bound_s),
    ]


def joined(runs: Sequence[Run]) -> Run:
    """Several runs as one."""
    answers = tuple(answer for run in runs for answer in run.answers)
    return Run(answers, sum(run.wall_s for run in runs))


def longest_wait_s(running: Running) -> float:
    """What the gateway itself has seen, from its metrics."""
    with urllib.request.urlopen(f"{running.root}/metrics", timeout=30) as reply:
        for line in reply.read().decode().splitlines():
            if line.startswith("skillweave_longest_wait_seconds "):
                return float(line.split()[1])
    raise LookupError("the gateway tells no skillweave_longest_wait_seconds")


def _once(root: str, name: str) -> None:
    body = json.dumps({"model": name, "prompt": "a", "max_tokens": 1}).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{root}/v1/completions", body, headers)
    with urllib.request.urlopen(request, timeout=LOADS_S) as reply:
        reply.read()


def _engine_of(running: Running) -> EngineState:
    """The engine with its secret, from the state file of this run."""
    gateway = psutil.Process(running.pids[1]).cmdline()
    state = read_state(Path(gateway[gateway.index("--state") + 1]))
    return state.engines[0]


def _engine_names(engine: EngineState, digests: Sequence[str]) -> tuple[str, ...]:
    """The engine's own names of stored versions, in the order of `digests`."""
    headers = {"authorization": f"Bearer {engine.secret}"}
    request = urllib.request.Request(f"{engine.url}/v1/models", headers=headers)
    with urllib.request.urlopen(request, timeout=30) as reply:
        known = [str(model["id"]) for model in json.load(reply)["data"]]
    return tuple(next(n for n in known if n.endswith(digest[:12])) for digest in digests)


def main(arguments: Sequence[str]) -> int:
    """Print the direct side alone, or all rows."""
    parser = argparse.ArgumentParser(prog="serve_thrash")
    parser.add_argument("--stock-only", action="store_true", help="the side the bar is made of")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args(arguments)
    if not options.stock_only:
        found = [row.document() for row in rows(seconds=options.seconds)]
        print(json.dumps(found, indent=1))
        return 0
    with (
        tempfile.TemporaryDirectory(prefix="skillweave-thrash-") as scratch,
        serving(Path(scratch)) as place,
    ):
        full, per_s = rate_of(place)
        runs = [direct(place, per_s=per_s, seconds=options.seconds, seed=seed) for seed in (11, 12)]
    told = {"saturation_per_s": full, "asked_per_s": per_s, "direct": joined(runs).document()}
    print(json.dumps(told, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
