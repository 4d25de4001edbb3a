"""STAT: training rows are aimed at the skills that the student misses (arXiv:2510.10023).

A validation request is hard where at most half of the student's samples pass the verifier. A
teacher names the skill that each failed answer misses, and with their counts `c_s`

    P(s) = c_s / sum_s' c_s',   w(x) = sum_{s in skills(x)} P(s)

`sel` draws rows from a finite pool by `w`, `uniform` draws them evenly, and `shuffled`, the key
control, by the same `P` on other skills. Every arm gets equally many new rows of every depth.

The student has planted weaknesses: an adapter that learned calls of named functions, with no text
in its prompt, from few rows for the first function of each skill and many for the others.

Departs: the verifier stands for the paper's process reward model; the teacher is a rule that is
told the worked answer, and names one skill a failed answer, the first that went wrong, not two or
three; every arm is trained from the base on the student's rows and the new ones, where the paper
goes on from the student; the paper's second form (Syn: requests that the teacher writes) is not
built. Card B3 wants `shuffled` within two points of `uniform`; here it also takes rows away from
the weak functions, so only a gain of it speaks against the claim.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import numpy as np
from pydantic import Field

from ..curricula import SkillProfile, draw_by_stratum, hard_requests, spearman
from ..evaluation import (
    Above,
    Absent,
    Arm,
    Below,
    Budget,
    BudgetExceeded,
    Controls,
    Criterion,
    diff,
    measured,
    oracle_arm,
)
from ..learning.sft import SftSettings
from ..policy import Sampling
from ..rendering import token_row
from ..skill_arms import none_arm
from ..skill_training import SkillTraining
from ..teachers.functions_world import functions_teacher
from ..worlds.types import Task
from .course import Course, expert_rows, open_course
from .diagnosing import diagnose, sample_answers, verified
from .planting import depth, functions_skills, labels, plant
from .run import Finished, Recipe, RecipeContext

RHO = "rank correlation of profile and planted weakness"
CRITERION = Criterion(
    statement="Rows drawn for the skills that a student misses teach it more than as many rows "
    "drawn evenly, and than as many drawn by the same weights on other skills.",
    preconditions=(
        Above(what=measured(RHO), bar=0.7),
        Above(what=diff("oracle", "student"), bar=0.05),
    ),
    clauses=(
        Above(what=diff("sel", "uniform"), bar=0.05),
        Above(what=diff("sel", "shuffled"), bar=0.0),
        Below(what=diff("shuffled", "uniform"), bar=0.02),
    ),
)


FULL = CRITERION.model_copy(update={"scope": "full"})
"""With the arm `hardest`, of which no clause speaks."""


class Stat(SkillTraining):
    """Settings of the recipe; requests are counted a skill and depth."""

    type: Literal["stat"] = "stat"
    num_skills: int = Field(default=4, ge=2)
    """Skills, each with its own functions; the student learns all of them at once."""
    taught: tuple[int, ...] = Field(default=(2, 24, 24), min_length=2, max_length=8)
    """In how many of the student's rows each function of a skill stands; few is a weakness."""
    depths: tuple[int, ...] = Field(default=(1, 2), min_length=1)
    """How many functions a request nests; as many requests of each."""
    num_requests: int = Field(default=90, ge=8)
    """Training requests: what the student does not learn from is the pool."""
    num_validation: int = Field(default=12, ge=1)
    """Validation requests, from which the profile comes."""
    num_samples: int = Field(default=4, ge=1)
    """Answers of the student to each of them."""
    num_new: int = Field(default=24, ge=2)
    """New rows of every arm, in all."""
    num_items: int = Field(default=30, ge=1)
    """Held-out requests in the evaluation."""
    sft: SftSettings = SftSettings(epochs=6, batch_rows=4, dev_share=0.0)
    """How every adapter is trained; no rows held out, so that arms learn from equally many."""


def run(config: Stat, context: RecipeContext) -> Finished:
    """Plant, diagnose, draw, train and judge: none, oracle, student, uniform, shuffled, sel.

    The full set has `hardest` as well: rows drawn evenly from the hard requests of the pool.
    """
    criterion = FULL if context.full else CRITERION
    with open_course("stat", config, context, adapters=5 if context.full else 4) as course:
        skills = functions_skills(config.num_skills, len(config.taught), seed=context.seed)
        plan = plant(
            course, skills, taught=config.taught, depths=config.depths,
            num_train=config.num_requests, num_dev=config.num_validation,
            num_test=config.num_items,
        )  # fmt: skip
        models = {"student": _learn(course, "student", plan.known)}
        found = course.with_policy(
            lambda policy: diagnose(
                policy, functions_teacher(budget=context.budget), plan.dev,
                model=models["student"], num_samples=config.num_samples,
                sampling=Sampling(temperature=1.0),
            )
        )  # fmt: skip
        profile = SkillProfile.of(plan.quotas, found.missing)
        other = profile.permuted(np.random.default_rng([context.seed, 0]))
        arms: dict[str, Callable[[Task], float]] = {
            "uniform": lambda task: 1.0,
            "shuffled": lambda task: other.weight(labels(task)),
            "sel": lambda task: profile.weight(labels(task)),
        }
        if context.full:
            answers = course.with_policy(
                lambda policy: sample_answers(
                    policy, plan.pool, model=models["student"], num_samples=config.num_samples,
                    sampling=Sampling(temperature=1.0),
                )
            )  # fmt: skip
            hard = hard_requests(verified(plan.pool, answers))
            arms["hardest"] = lambda task: float(task.id in hard)
        notes = []
        for number, (name, weight) in enumerate(arms.items(), 1):
            rng = np.random.default_rng([context.seed, number])
            new = draw_by_stratum(plan.pool, weight, config.num_new, stratum=depth, rng=rng)
            models[name] = _learn(course, name, [*plan.known, *new])
            notes.append(f"{name}: {len(new)} new rows of {_num_tokens(course, new)} tokens")
        counts = ", ".join(f"{s} {profile.counts[s]:g} ({n})" for s, n in plan.quotas.items())
        notes.append(f"missing in {len(found.hard)} hard requests (rows of the student): {counts}")
        shares, rows = profile.shares, plan.quotas
        return course.finished(
            course.ask(
                [none_arm(), oracle_arm(), *(Arm(name, model=ref) for name, ref in models.items())],
                plan.test,
                criterion=criterion,
            ),
            criterion=criterion,
            numbers={RHO: spearman([shares[s] for s in rows], [-rows[s] for s in rows])},
            notes=notes,
        )


def _learn(course: Course, name: str, tasks: Sequence[Task]) -> str:
    """One adapter on requests with their worked answers; its model string."""
    about = f"Calls of named functions, rows of the arm {name}."
    rows = expert_rows(tasks)
    return course.carry_rows(f"stat-{name}", rows, description=about, licence="Apache-2.0")


def _num_tokens(course: Course, tasks: Sequence[Task]) -> int:
    """Of the rows that these requests make, prompts included."""
    render = partial(token_row, course.bench.tokenizer, frame=course.bench.frame)
    return sum(len(render(row.conversation()).ids) for row in expert_rows(tasks))


def fit(config: Stat, budget: Budget) -> Stat:
    """As many validation requests as the rollouts allow, never more than the settings say.

    Raises:
        BudgetExceeded: not one request of each skill and depth is left.
    """
    limit = budget.limits.get("rollouts", config.num_validation * _rollouts_each(config))
    if limit < _rollouts_each(config):
        raise BudgetExceeded(
            f"{limit} rollouts are too few to diagnose a student: expected at least "
            f"{_rollouts_each(config)}; raise the budget or set num_samples lower"
        )
    most = min(config.num_validation, limit // _rollouts_each(config))
    return config.model_copy(update={"num_validation": most})


def _rollouts_each(config: Stat) -> int:
    return config.num_samples * config.num_skills * len(config.depths)


CONTROLS: Controls = {
    "none": "none",
    "oracle": "oracle",
    "shuffled": "shuffled",
    "random": Absent("uniform and shuffled are stronger: trained adapters, on as many rows"),
    "placebo": Absent("no arm has a text in its prompt"),
    "budget": "uniform",
}
RECIPE = Recipe(
    Stat,
    run,
    source="STAT, arXiv:2510.10023",
    method="sel",
    worlds=("fg",),
    controls=CONTROLS,
    full_controls=CONTROLS,
    fit=fit,
)
