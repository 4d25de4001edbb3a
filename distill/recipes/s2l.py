"""S2L: a skill text becomes a LoRA adapter (Skill-to-LoRA, arXiv:2606.16769).

The teacher `pi_T` reads the whole text `t_s` of skill `s` and answers requests `x`; the answers
that the verifier passes are the demonstrations. The adapter learns them with the text removed:

    L = - sum_t log pi_(base + adapter)(y_t | x, y_<t),   y ~ pi_T(. | t_s, x)

over the assistant's tokens `t`. The teacher is the base itself, behind the served engine.

Departs: only verified demonstrations are kept (the paper reports no filter) and the yield is
recorded; every linear module gets an update, not q and v alone, because the base is small; rank,
rate and epochs are ours (the paper gives r=16, alpha=32, 64 rows; rate and epochs were not
found); the wrong adapter is another skill's by a fixed derangement, not the least similar one's.
"""

import asyncio
from pathlib import Path
from typing import Literal

from pydantic import Field

from ...adapters.skills import Skill, read_skill, write_skill
from ..demonstrations import Teacher
from ..evaluation import Above, Absent, Budget, BudgetExceeded, Criterion, diff
from ..evaluation.types import ItemResult
from ..policy import ServedPolicy
from ..serving import ServePlan, admin
from ..skill_arms import BASE, AskServed, held_out_items, named_arm, none_arm, text_arm, wrong_arm
from ..skill_training import Lesson, SkillTraining, teach, train
from ..trainable import checked
from ..workbench import Workbench
from ..worlds.string_skills import SplitLedger, held_out_specs, string_skill
from ..worlds.string_skills.held_out import STEPS
from .run import Finished, Recipe, RecipeContext

FEWEST_REQUESTS = 8
SOURCE = "Skill-to-LoRA, arXiv:2606.16769"

CRITERION = Criterion(
    statement="The adapter replaces the text of its skill, and it is this adapter that does it.",
    preconditions=(Above(what=diff("text", "none"), bar=0.30),),
    clauses=(
        Above(what=diff("s2l", "text"), bar=-0.03, on="lower"),
        Above(what=diff("s2l", "none"), bar=0.30),
        Above(what=diff("s2l", "wrong"), bar=0.30),
    ),
)


class S2L(SkillTraining):
    """Settings of the recipe; the fields are those of skill training."""

    type: Literal["s2l"] = "s2l"
    steps: tuple[int, ...] = Field(default=STEPS, min_length=2)
    """Steps of every skill that is drawn: one number a skill."""
    num_items: int = Field(default=100, ge=1)
    """Held-out requests of every skill in the evaluation."""


def drawn_skills(folder: Path, *, seed: int, steps: tuple[int, ...] = STEPS) -> list[Skill]:
    """Held-out skills of the string world as real folders, drawn by the seed."""
    skills = [string_skill(spec, seed=seed) for spec in held_out_specs(seed, steps=steps)]
    return [read_skill(write_skill(skill, folder / skill.name).parent)[0] for skill in skills]


def run(config: S2L, context: RecipeContext) -> Finished:
    """Teach, train, serve and judge the core arms: none, text, s2l, wrong.

    Every skill takes part, also one whose text does not help and one that could not be taught:
    nothing is selected on the outcome. A skill without an adapter is asked as the base alone.
    """
    skills = drawn_skills(context.work / "skills", seed=context.seed, steps=config.steps)
    bench = Workbench(context.base, context.store, report=context.report)
    plan = ServePlan(context.base, context.store.root, rank=config.sft.rank, slots=len(skills))
    with context.launch(plan) as served:
        lessons = asyncio.run(_teach(skills, config, bench, served.url, context))
        models = dict.fromkeys((skill.name for skill in skills), BASE)
        weights: dict[str, str] = {}
        for lesson in lessons:
            if lesson.trainable:
                one = train(lesson, config, bench, recipe=config.type, seed=context.seed)
                admin(served, "publish", {"ref": one.version.ref})
                models[one.skill.name] = one.model
                weights[one.model] = one.version.weights_digest
        results = asyncio.run(
            _evaluate(lessons, models, weights, config, bench, served.url, context)
        )
    rollouts = sum(lesson.yielded.asked + 2 * lesson.gain.n for lesson in lessons)
    digest = bench.identity.family_digest
    return Finished(CRITERION, SOURCE, results, rollouts, digest, _notes(lessons, config, models))


def _notes(lessons: list[Lesson], config: SkillTraining, models: dict[str, str]) -> tuple[str, ...]:
    """Which skills were taught badly or not at all."""
    out = []
    for lesson in lessons:
        name, kept = lesson.skill.name, lesson.yielded.kept
        verified = f"{kept} of {lesson.yielded.asked} demonstrations verified"
        if models[name] == BASE:
            out.append(f"{name}: {verified}, so no adapter; s2l asks the base")
        elif kept < config.min_demonstrations:
            out.append(f"{name}: {verified}, fewer than the {config.min_demonstrations} wanted")
    return tuple(out)


async def _teach(
    skills: list[Skill], config: S2L, bench: Workbench, url: str, context: RecipeContext
) -> list[Lesson]:
    async with ServedPolicy(url) as policy:
        teacher = Teacher(context.metered(policy))
        return [
            await teach(
                skill, config, bench, teacher=teacher, seed=context.seed, force=True, take_few=True
            )
            for skill in skills
        ]


async def _evaluate(
    lessons: list[Lesson],
    models: dict[str, str],
    weights: dict[str, str],
    config: S2L,
    bench: Workbench,
    url: str,
    context: RecipeContext,
) -> tuple[ItemResult, ...]:
    ledger = SplitLedger()
    for one in lessons:
        ledger.record("train", one.asked_ids)
    items = held_out_items(
        {one.skill.name: checked(one.skill, bench.base) for one in lessons},
        num_items=config.num_items,
        seed=context.seed,
        exclude={one.skill.name: one.asked_ids for one in lessons},
        ledger=ledger,
    )
    skills = [one.skill for one in lessons]
    arms = [none_arm(), text_arm(skills), named_arm(models), wrong_arm(models)]
    async with ServedPolicy(url) as policy:
        return await context.ask(
            arms, items, criterion=CRITERION, ask=AskServed(policy, config.sampling),
            base=bench.identity.family_digest, sampling=config.sampling, weights=weights,
        )  # fmt: skip


def fit(config: S2L, budget: Budget) -> S2L:
    """As many requests a skill as the rollouts allow, never more than the settings say.

    Raises:
        BudgetExceeded: fewer than eight requests a skill would be left.
    """
    limit = budget.limits.get("rollouts")
    if limit is None:
        return config
    preflight = 2 * config.preflight_requests
    num_requests = min(config.num_requests, limit // len(config.steps) - preflight)
    if num_requests < FEWEST_REQUESTS:
        least = (FEWEST_REQUESTS + preflight) * len(config.steps)
        raise BudgetExceeded(
            f"{limit} rollouts are too few for {len(config.steps)} skills with {preflight} of "
            f"preflight each: expected at least {least}; raise the budget or set "
            "preflight_requests lower"
        )
    return config.model_copy(update={"num_requests": num_requests})


RECIPE = Recipe(
    S2L,
    run,
    source=SOURCE,
    method="s2l",
    controls={
        "none": "none",
        "oracle": Absent("the text arm is the ceiling that the claim speaks of"),
        "shuffled": Absent("the method has no text in its prompt"),
        "random": Absent("the wrong arm is stronger: a trained adapter, of another skill"),
        "placebo": Absent("the method has no text in its prompt; the demo has this arm"),
        "budget": Absent("nothing is searched or selected, so there is nothing to buy"),
    },
    fit=fit,
)
