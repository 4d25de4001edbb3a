"""Cost: what an answer takes under each arm, and when training has paid for itself."""

import statistics
import time
from collections.abc import Sequence

from ..evaluation import Arm, evaluate
from ..evaluation.types import Item
from ..policy import ServedPolicy
from ..report.build import break_even
from ..report.model import BreakEven, CostRow
from ..skill_arms import AskServed
from ..skill_training import Carried
from .settings import DemoSettings

WARM_UP = 8
CONCURRENCY = 16


async def measure_cost(
    url: str,
    arms: Sequence[Arm],
    items: Sequence[Item],
    *,
    prefix_cache: bool,
    settings: DemoSettings,
) -> tuple[CostRow, ...]:
    """Stream the same requests under every arm, `CONCURRENCY` at once, after a warm-up.

    Returns:
        One row an arm: mean prompt tokens, time to the first token (ms), requests a second.
    """
    chosen = spread(items, settings.cost_requests)
    rows: list[CostRow] = []
    async with ServedPolicy(url, stream=True) as policy:
        ask = AskServed(policy, settings.training.sampling)
        for arm in arms:
            await evaluate([arm], chosen[:WARM_UP], ask=ask, concurrency=WARM_UP)
            started = time.perf_counter()
            results = await evaluate([arm], chosen, ask=ask, concurrency=CONCURRENCY)
            wall_s = time.perf_counter() - started
            firsts = sorted(1000 * r.ttft_s for r in results if r.ttft_s is not None)
            rows.append(
                CostRow(
                    arm=arm.name,
                    prefix_cache=prefix_cache,
                    prompt_tokens=statistics.fmean(r.prompt_tokens for r in results),
                    ttft_ms_p50=statistics.median(firsts),
                    ttft_ms_p95=firsts[int(0.95 * (len(firsts) - 1))],
                    requests_per_s=len(results) / wall_s,
                )
            )
    return tuple(rows)


def spread(items: Sequence[Item], count: int) -> list[Item]:
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
