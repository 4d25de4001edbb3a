"""Asking: every arm answers every item, and a request that fails is recorded, not dropped.

Owns: matched asking with bounded concurrency, scoring by the item's own verifier, the share of
failed requests an experiment can bear. Refuses to own: HTTP, model strings and prompts (they are
the business of the `Ask` the caller passes) and all statistics (`summary`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from ...adapters.errors import BudgetExceeded, MissingAbility
from .errors import EvaluationError, TooManyFailures
from .types import Answer, Arm, Item, ItemResult

MAX_FAILED_SHARE = 0.02
"""An arm with a larger share of failed requests ends the evaluation."""


class Ask(Protocol):
    """One request: an item under an arm. What it raises counts as a failed request, but for what is
    wrong with the run as a whole: `BudgetExceeded` and `MissingAbility` end it. Settings of its own
    that decide answers stand in an attribute `fingerprint`, a text, or the cache of arms would take
    two settings for one."""

    async def __call__(self, arm: Arm, item: Item, /) -> Answer: ...


def skill_of(item: Item) -> str:
    """The cluster of an item: `meta["skill"]`, and the family where an item names no skill."""
    return str(item.meta.get("skill", item.family))


async def evaluate(
    arms: Sequence[Arm],
    items: Sequence[Item],
    *,
    ask: Ask,
    concurrency: int = 16,
    cluster_of: Callable[[Item], str] = skill_of,
    on_result: Callable[[ItemResult], None] | None = None,
    max_failed_share: float = MAX_FAILED_SHARE,
) -> tuple[ItemResult, ...]:
    """Ask every arm every item; the arms run one after the other.

    Args:
        arms: with names that differ.
        items: with ids that differ; the same list for every arm.
        ask: sends one request; what it raises becomes a result with `passed=False` and `error`,
            but for the two errors that `Ask` names.
        concurrency: requests in flight at once, at least 1.
        cluster_of: the group that the bootstrap resamples first.
        on_result: called with each result as it arrives, for progress and for `ItemLog.write`.
        max_failed_share: per arm; one failure more ends the run at once.

    Returns:
        One result for each arm and item: arms in the given order, items in the given order.

    Raises:
        TooManyFailures: with the failed results.
        BudgetExceeded, MissingAbility: from `ask`; no other item would fare better.
        EvaluationError: no arms or items, a name or id twice, concurrency below 1.
    """
    _require_distinct([arm.name for arm in arms], "arm")
    _require_distinct([item.id for item in items], "item")
    if concurrency < 1:
        raise EvaluationError(f"concurrency is {concurrency}: expected at least 1")
    results: list[ItemResult] = []
    for arm in arms:
        failed: list[ItemResult] = []

        async def answer(
            item: Item, /, *, arm: Arm = arm, failed: list[ItemResult] = failed
        ) -> ItemResult:
            result = await _ask_one(ask, arm, item=item, cluster=cluster_of(item))
            if on_result is not None:
                on_result(result)
            if result.error:
                failed.append(result)
                _require_few(failed, total=len(items), share=max_failed_share)
            return result

        results.extend(await _bounded(answer, items, concurrency=concurrency))
    return tuple(results)


async def _ask_one(ask: Ask, arm: Arm, *, item: Item, cluster: str) -> ItemResult:
    """One request and its verdict; the rollout boundary, where its failure becomes data."""
    try:
        answer = await ask(arm, item)
    except (BudgetExceeded, MissingAbility):
        raise
    except Exception as err:
        return ItemResult(
            item_id=item.id,
            cluster=cluster,
            arm=arm.name,
            passed=False,
            reward=0.0,
            prompt_tokens=0,
            completion_tokens=0,
            answer="",
            error=f"{type(err).__name__}: {err}",
        )
    outcome = item.verify(answer.text)
    return ItemResult(
        item_id=item.id,
        cluster=cluster,
        arm=arm.name,
        passed=outcome.passed,
        reward=outcome.reward,
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
        answer=answer.text,
        route=answer.headers.get("x-skillweave-adapter", ""),
        form=answer.headers.get("x-skillweave-form", ""),
        reason=outcome.reason,
        ttft_s=answer.ttft_s,
        wall_s=answer.wall_s,
    )


async def _bounded(
    answer: Callable[[Item], Awaitable[ItemResult]], items: Sequence[Item], *, concurrency: int
) -> list[ItemResult]:
    """Answers in the order of the items, with so many workers; the first error stops them all."""
    done: dict[int, ItemResult] = {}
    waiting = iter(enumerate(items))

    async def work() -> None:
        for index, item in waiting:
            done[index] = await answer(item)

    workers = [asyncio.create_task(work()) for _ in range(min(concurrency, len(items)))]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return [done[index] for index in range(len(items))]


def _require_few(failed: Sequence[ItemResult], *, total: int, share: float) -> None:
    allowed = int(share * total)
    if len(failed) > allowed:
        last = failed[-1]
        raise TooManyFailures(
            f"arm {last.arm!r}: {len(failed)} of {total} requests failed, at most {allowed} may. "
            f"The last one: item {last.item_id!r}, {last.error}. Look at the engine's log, then "
            "run again",
            tuple(failed),
        )


def _require_distinct(names: Sequence[str], kind: str) -> None:
    if not names:
        raise EvaluationError(f"no {kind}s: an evaluation needs at least one")
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise EvaluationError(f"{kind} {name!r} is given twice: expected each {kind} once")
        seen.add(name)
