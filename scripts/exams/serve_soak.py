"""Soak: mixed traffic with publishes for twenty minutes on the shipped base, and memory all along.

A part of the exam `serve`. Criterion, before the run: no wrong answer, no refusal, no cut
connection, no hang over `MINUTES`; after a warm-up of a quarter of the time the resident memory of
gateway and engine grows by at most 1 MB a minute each (least squares over a sample a second; its
95 % interval, widened for samples that follow each other, is reported beside it). Owns sampling and
slope. Needs an engine.
"""

import itertools
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from ...adapters.errors import SkillweaveError
from ..bench.rows import Row
from ..bench.serve_upload import must, upload_request
from ..bench.serve_wire import Line
from .serve_crowd import Crowd
from .serve_ground import Ground, Kind, make_adapter, serving

MINUTES, CLIENTS = 20.0, 4
BAR_MB_MIN = 1.0
PUBLISH_EVERY_S = 5.0
SAMPLE_S = 1.0
WARMUP = 0.25
_MB = 1e6


@dataclass(frozen=True)
class Slope:
    """Megabytes a minute, with the half width of its 95 % interval."""

    value: float
    half: float


@dataclass
class Watch:
    """Memory of two parts of the server, sampled in a thread: (seconds, bytes)."""

    sizes: dict[str, Callable[[], int]]
    every_s: float = SAMPLE_S
    seen: dict[str, list[tuple[float, int]]] = field(default_factory=dict)

    def run(self, stop: threading.Event) -> None:
        """Sample until told to stop."""
        start = time.monotonic()
        while not stop.wait(self.every_s):
            for name, size in self.sizes.items():
                self.seen.setdefault(name, []).append((time.monotonic() - start, size()))


def rows(
    home: Path,
    *,
    minutes: float = MINUTES,
    kind: Kind = "vllm",
    publish_every_s: float = PUBLISH_EVERY_S,
    sample_s: float = SAMPLE_S,
) -> list[Row]:
    """Ask, publish and sample for so long."""
    steps = [make_adapter(home / f"step-{seed}", seed=100 + seed) for seed in range(2)]
    with serving(home, kind=kind) as ground:
        crowd = Crowd(ground.running.root, ground.models)
        crowd.learn()
        watch = Watch(_sizes(ground), every_s=sample_s)
        stop, published = threading.Event(), _Published()
        with ThreadPoolExecutor(2) as pool:
            helpers = (
                pool.submit(watch.run, stop),
                pool.submit(published.run, ground, steps, stop, every=publish_every_s),
            )
            try:
                with crowd.asking(CLIENTS) as tally:
                    time.sleep(60.0 * minutes)
            finally:
                stop.set()
        for helper in helpers:
            helper.result()
    errors = len(tally.faults) + sum(tally.refused.values()) + tally.cut + len(published.failed)
    told: dict[str, object] = {
        "right": tally.answered,
        "refused": dict(tally.refused),
        "cut": tally.cut,
        "published": published.count,
        "faults": [*tally.faults, *published.failed][:10],
    }
    what = f"soak, {minutes:g} minutes ({kind})"
    total = tally.answered + published.count
    return [
        Row(f"{what}: errors", errors, total, "==", 0, ours=told),
        *(_memory_row(what, name, samples) for name, samples in watch.seen.items()),
    ]


def slope_of(samples: Sequence[tuple[float, int]]) -> Slope:
    """Least squares of the samples after the warm-up.

    Neighbouring samples are alike, so that their number says too much: the error is widened by
    sqrt((1 + r) / (1 - r)), r the correlation of a residual with the next one.
    """
    first = samples[int(WARMUP * len(samples)) :]
    minutes = [second / 60.0 for second, _ in first]
    sizes = [size / _MB for _, size in first]
    fit = statistics.linear_regression(minutes, sizes)
    rest = [y - fit.slope * x - fit.intercept for x, y in zip(minutes, sizes, strict=True)]
    spread = sum((x - statistics.fmean(minutes)) ** 2 for x in minutes)
    error = (sum(e * e for e in rest) / max(1, len(rest) - 2) / spread) ** 0.5
    power = sum(e * e for e in rest)
    alike = sum(a * b for a, b in itertools.pairwise(rest)) / power if power else 0.0
    widened = ((1.0 + alike) / (1.0 - alike)) ** 0.5 if 0.0 < alike < 1.0 else 1.0
    return Slope(fit.slope, 1.96 * error * widened)


def _memory_row(what: str, name: str, samples: Sequence[tuple[float, int]]) -> Row:
    slope = slope_of(samples)
    told: dict[str, object] = {
        "interval_mb_min": [slope.value - slope.half, slope.value + slope.half],
        "first_mb": samples[0][1] / _MB,
        "last_mb": samples[-1][1] / _MB,
    }
    figure = f"{what}: memory of the {name} grows by (MB/min)"
    return Row(figure, slope.value, len(samples), op="<=", bar=BAR_MB_MIN, ours=told)


@dataclass
class _Published:
    """Steps of a run, published again and again."""

    count: int = 0
    failed: list[str] = field(default_factory=list)

    def run(
        self, ground: Ground, folders: Sequence[Path], stop: threading.Event, *, every: float
    ) -> None:
        """One step after another until told to stop; each is asked once."""
        with Line(ground.running.root) as line:
            while not stop.wait(every):
                step = self.count + 1
                fields = {"run": "soak-run", "step": step}
                folder, key = folders[step % len(folders)], ground.running.admin_key
                try:
                    must(line.ask(upload_request(line, folder, fields, key=key)))
                    body: dict[str, object] = {"model": "soak-run", "prompt": "a", "max_tokens": 2}
                    must(line.ask(line.request("/v1/completions", body)))
                except (SkillweaveError, OSError) as err:
                    self.failed.append(f"step {step}: {type(err).__name__}: {err}")
                self.count = step


def _sizes(ground: Ground) -> dict[str, Callable[[], int]]:
    gateway, engines = ground.gateway(), ground.engines()
    every = [*engines, *(below for engine in engines for below in engine.children(recursive=True))]
    return {"gateway": lambda: _rss([gateway]), "engine": lambda: _rss(every)}


def _rss(processes: Sequence[psutil.Process]) -> int:
    return sum(int(process.memory_info().rss) for process in processes)
