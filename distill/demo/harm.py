"""Harm: what an adapter does to work that it was not made for, paired with the base."""

from collections.abc import Mapping, Sequence

from ...adapters.skills import Skill
from ..evaluation import Arm, compare, evaluate
from ..evaluation.evaluator import Ask
from ..evaluation.types import Item, ItemResult
from ..report.build import harm_row
from ..report.model import HarmRow
from ..skill_arms import none_arm, text_arm
from ..workbench import Report
from ..worlds.string_skills import plain_tasks
from .settings import DemoSettings


async def measure_harm(
    skills: Sequence[Skill],
    refs: Mapping[str, str],
    items: Mapping[str, Sequence[Item]],
    *,
    ask: Ask,
    settings: DemoSettings,
    report: Report,
) -> tuple[HarmRow, ...]:
    """Every adapter on the other skills' full-text items and on plain base tasks.

    Args:
        skills: all of them, with their texts.
        refs: skill name -> model string of its adapter.
        items: skill name -> its test items.
    """
    pool = [item for found in items.values() for item in found[: settings.harm_items]]
    plain: Sequence[Item] = plain_tasks(settings.plain_items, seed=settings.seed)
    texts = text_arm(skills)
    told = await _asked(texts, pool, ask, settings)
    bare = await _asked(none_arm(), plain, ask, settings)
    rows: list[HarmRow] = []
    for done, (name, ref) in enumerate(refs.items(), 1):
        others = [item for item in pool if item.family != name]
        adapted = Arm("adapter", model=ref, systems=texts.systems)
        on_text = await _asked(adapted, others, ask, settings)
        on_plain = await _asked(Arm("adapter", model=ref), plain, ask, settings)
        paired = [result for result in told if result.cluster != name]
        rows.append(_row(name, "full-text items of the other skills", on_text, paired, settings))
        rows.append(_row(name, "plain base tasks", on_plain, bare, settings))
        report("checking adapters for harm", done, len(refs))
    return tuple(rows)


async def _asked(
    arm: Arm, items: Sequence[Item], ask: Ask, settings: DemoSettings
) -> tuple[ItemResult, ...]:
    return await evaluate([arm], items, ask=ask, concurrency=settings.concurrency)


def _row(
    name: str,
    on: str,
    adapter: Sequence[ItemResult],
    base: Sequence[ItemResult],
    settings: DemoSettings,
) -> HarmRow:
    comparison = compare(adapter, base, seed=settings.seed)
    means = [sum(r.passed for r in results) / len(results) for results in (adapter, base)]
    return harm_row(name, on=on, comparison=comparison, adapter_mean=means[0], base_mean=means[1])
