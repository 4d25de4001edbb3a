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
    plain: Sequence[Item] = plain_tasks(settings.plain_items, seed=settings.seed)
    rows: list[HarmRow] = []
    for done, (name, ref) in enumerate(refs.items(), 1):
        others = [
            item
            for other, found in items.items()
            if other != name
            for item in found[: settings.harm_items]
        ]
        text = text_arm(skills)
        adapted = Arm("adapter", "", model=ref, systems=text.systems)
        rows.append(
            await _paired(
                name, "full-text items of the other skills", [text, adapted], others, ask, settings
            )
        )
        bare = [none_arm(), Arm("adapter", "", model=ref)]
        rows.append(await _paired(name, "plain base tasks", bare, plain, ask, settings))
        report("checking adapters for harm", done, len(refs))
    return tuple(rows)


async def _paired(
    name: str,
    on: str,
    arms: Sequence[Arm],
    items: Sequence[Item],
    ask: Ask,
    settings: DemoSettings,
) -> HarmRow:
    results = await evaluate(arms, items, ask=ask, concurrency=settings.concurrency)
    base, adapter = ([r for r in results if r.arm == arm.name] for arm in arms)
    comparison = compare(adapter, base, seed=settings.seed)
    return harm_row(
        name,
        on=on,
        comparison=comparison,
        adapter_mean=_mean(adapter),
        base_mean=_mean(base),
    )


def _mean(results: Sequence[ItemResult]) -> float:
    return sum(result.passed for result in results) / len(results)
