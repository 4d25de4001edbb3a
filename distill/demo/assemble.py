"""From what the phases found to the report; no figure is made here that was not measured."""

import platform
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from ...router.router import Router
from ...router.types import State
from ..evaluation import Checked, Judgement, judge
from ..evaluation.types import ItemResult
from ..provenance import code_revision, package_versions
from ..report.build import arm_rows, bar_rows, comparison_rows, confusion, worked_example
from ..report.model import CostBlock, Example, Provenance, Report, RouterBlock, SkillRow
from ..routing import request_of, state_of
from ..tiny_base import is_tiny
from ..worlds.string_skills import CHECKER_KEY, SkillSpec, is_held_out
from .cost import CONCURRENCY, break_evens, spread
from .settings import CRITERION
from .state import DemoRun, Found

PAIRS = (("shared", "s2l"), ("s2l", "irrelevant"), ("auto", "text"))
"""Comparisons that are reported beside those of the criterion."""
NAMES = {
    "max_abs_dlogp": "largest difference of a log-probability, vLLM against PEFT (nats)",
    "min_wrong_mean_abs_dlogp": "smallest mean difference with a wrong adapter (nats)",
}


def assemble(run: DemoRun, found: Found, *, command: str) -> Report:
    """The report of a finished run."""
    judgement = judged(run, found)
    return Report(
        title=f"skillweave demo: {len(run.skills)} skill texts as adapters",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        criterion=CRITERION.statement,
        bars=bar_rows(judgement.checked.clauses, names=NAMES),
        arms=arm_rows(judgement.arms, about={arm.name: arm.about for arm in found.arms}),
        comparisons=comparison_rows(judgement.comparisons),
        skills=_skills(found, judgement),
        router=_router(found, found.router) if found.router else None,
        examples=_examples(found),
        cost=CostBlock(
            rows=tuple(found.cost),
            break_even=break_evens(found.carried, found.cost),
            concurrency=CONCURRENCY,
            note=(
                f"Medians of {run.settings.cost_rounds} interleaved rounds of "
                f"{run.settings.cost_requests} requests an arm. Training counts the teacher's time "
                "as well. On a CPU the engine's prefix cache works in blocks of 128 tokens, so "
                "that shorter prompts never meet it: for them the two settings measure the same "
                "thing twice, and what differs between them, break-even included, is noise. The "
                "shared adapter has an engine of its own and was measured with the cache on only."
            ),
        ),
        harm=found.harm,
        numeric=found.numeric,
        provenance=Provenance(
            base=found.base_name,
            base_digest=found.base_digest,
            revision=code_revision(),
            command=command,
            platform=f"{platform.platform(terse=True)}, Python {platform.python_version()}",
            criterion_digest=CRITERION.digest,
            versions=package_versions(),
            seeds={"run": run.settings.seed},
            wall_s=found.wall_s,
        ),
        notes=_notes(run, found),
    )


def judged(run: DemoRun, found: Found) -> Judgement:
    """Hold the criterion against what was found."""
    numbers: dict[str, float] = {}
    if found.numeric:
        rows = found.numeric.rows
        numbers["max_abs_dlogp"] = max(row.max_abs for row in rows)
        wrong = [row.wrong_mean_abs for row in rows if row.wrong_mean_abs is not None]
        numbers["min_wrong_mean_abs_dlogp"] = min(wrong)
    return judge(found.results, CRITERION, pairs=PAIRS, numbers=numbers, seed=run.settings.seed)


def _notes(run: DemoRun, found: Found) -> tuple[str, ...]:
    """What the figures must be read with; each sentence only where it is true of this run."""
    notes = [
        "Items of a skill alternate between wordings that training requests use and wordings "
        "that they never use."
    ]
    checkers = [skill.metadata.get(CHECKER_KEY) for skill in run.skills]
    if is_tiny(run.base) and all(c and is_held_out(SkillSpec.from_json(c)) for c in checkers):
        notes.insert(0, "The base never saw these skills: they are held out of its pretraining.")
    if found.shared_sft and found.shared_sft.dev_loss is not None:
        own = [c.sft.dev_loss for c in found.carried if c.sft.dev_loss is not None]
        notes.append(
            "Held-out loss a token in training: shared adapter "
            f"{found.shared_sft.dev_loss:.3f}, skills' own {min(own):.3f} to {max(own):.3f}."
        )
    return tuple(notes)


def met(checked: Checked) -> bool:
    """Whether every bar was met."""
    return all(clause.holds for clause in checked.clauses)


def _skills(found: Found, judgement: Judgement) -> tuple[SkillRow, ...]:
    return tuple(
        SkillRow(
            skill=one.skill.name,
            description=one.skill.description,
            means={arm.name: arm.per_cluster[one.skill.name] for arm in judgement.arms},
            n=sum(item.family == one.skill.name for item in found.items),
            demonstrations=one.lesson.yielded.asked,
            kept=one.lesson.yielded.kept,
            train_s=round(one.sft.train_s, 1),
            adapter=one.version.ref,
            digest=one.version.version_digest,
        )
        for one in found.carried
    )


def _router(found: Found, router: Router) -> RouterBlock:
    routed = [r for r in found.results if r.arm == "auto"] + found.stray_results
    block = confusion(
        routed, skills=[one.skill.name for one in found.carried], selector=router.auto
    )
    states = [state_of(request_of(item)) for item in spread(found.items, 200)]
    return block.model_copy(
        update={
            "threshold": router.dev[router.auto].threshold,
            "dev": {name: figures.accuracy for name, figures in router.dev.items()},
            "decision_ms": _decision_ms(router, states),
        }
    )


def _decision_ms(router: Router, states: Sequence[State]) -> float:
    spent = []
    for state in states:
        started = time.perf_counter()
        router.route(state)
        spent.append(1000 * (time.perf_counter() - started))
    return statistics.median(spent)


def _examples(found: Found) -> tuple[Example, ...]:
    """The first test item of every skill, with the answers of all arms."""
    out = []
    for one in found.carried:
        item = next(i for i in found.items if i.family == one.skill.name)
        answers: list[ItemResult] = [r for r in found.results if r.item_id == item.id]
        out.append(
            worked_example(
                one.skill.name,
                answers,
                skill_text=one.skill.body,
                request=request_of(item),
                item_id=item.id,
                expected=item.meta.get("expected", ""),
            )
        )
    return tuple(out)
