"""Cost: what an answer takes under each arm, and when training has paid for itself."""

import statistics
import time
from collections.abc import Sequence
from typing import TypeVar

from ..evaluation import Arm, evaluate
from ..evaluation.types import Item
from ..policy import ServedPolicy
from ..report.build import break_even
from ..report.model import BreakEven, CostRow
from ..skill_arms import AskServed
from ..skill_training import Carried
from ..workbench import Report
from .settings import DemoSettings

CONCURRENCY = 16
Thing = TypeVar("Thing")


async def measure_cost(
    url: str,
    arms: Sequence[Arm],
    items: Sequence[Item],
    *,
    prefix_cache: bool,
    settings: DemoSettings,
    report: Report,
) -> tuple[CostRow, ...]:
    """Stream the same requests under every arm, round after round over all arms.

    Every arm is warmed up with one request of each skill, so that no adapter is loaded while time
    is taken; the rounds are interleaved, so that a machine that slows down slows all arms.

    Returns:
        One row an arm: mean prompt tokens; over its rounds the medians of the time to the first
        token (ms) and of requests a second. Failed requests count in none of them.
    """
    chosen = spread(items, settings.cost_requests)
    firsts = list({item.family: item for item in items}.values())
    rounds: dict[str, list[CostRow]] = {arm.name: [] for arm in arms}
    async with ServedPolicy(url, stream=True) as policy:
        ask = AskServed(policy, settings.training.sampling)
        for arm in arms:
            await evaluate([arm], firsts, ask=ask, concurrency=CONCURRENCY)
        for number in range(settings.cost_rounds):
            for arm in arms:
                rounds[arm.name].append(await _round(arm, chosen, ask, prefix_cache))
            cached = "on" if prefix_cache else "off"
            report(f"cost, prefix cache {cached}", number + 1, settings.cost_rounds)
    return tuple(_median(rows) for rows in rounds.values())


async def _round(arm: Arm, items: Sequence[Item], ask: AskServed, prefix_cache: bool) -> CostRow:
    started = time.perf_counter()
    results = await evaluate([arm], items, ask=ask, concurrency=CONCURRENCY)
    wall_s = time.perf_counter() - started
    answered = [result for result in results if not result.error]
    firsts = sorted(1000 * r.ttft_s for r in answered if r.ttft_s is not None)
    return CostRow(
        arm=arm.name,
        prefix_cache=prefix_cache,
        prompt_tokens=statistics.fmean(r.prompt_tokens for r in answered),
        ttft_ms_p50=statistics.median(firsts),
        ttft_ms_p95=firsts[int(0.95 * (len(firsts) - 1))],
        requests_per_s=len(answered) / wall_s,
    )


def _median(rows: Sequence[CostRow]) -> CostRow:
    """Every figure's median over the rounds."""
    return rows[0].model_copy(
        update={
            "ttft_ms_p50": statistics.median(row.ttft_ms_p50 for row in rows),
            "ttft_ms_p95": statistics.median(row.ttft_ms_p95 or 0.0 for row in rows),
            "requests_per_s": statistics.median(row.requests_per_s for row in rows),
        }
    )


def spread(items: Sequence[Thing], count: int) -> list[Thing]:
    """`count` items at even distances from first to last, so that every skill is among them."""
    count = min(count, len(items))
    return [items[index * len(items) // count] for index in range(count)]


def break_evens(carried: Sequence[Carried], rows: Sequence[CostRow]) -> tuple[BreakEven, ...]:
    """Requests to break even, for every skill and both settings of the prefix cache."""
    out: list[BreakEven] = []
    for cached in (True, False):
        pace = {row.arm: row.requests_per_s for row in rows if row.prefix_cache is cached}
        if "text" not in pace or "s2l" not in pace:
            continue
        out += [
            break_even(
                one.skill.name,
                prefix_cache=cached,
                train_s=one.lesson.wall_s + one.sft.train_s,
                text_requests_per_s=pace["text"],
                adapter_requests_per_s=pace["s2l"],
            )
            for one in carried
        ]
    return tuple(out)
