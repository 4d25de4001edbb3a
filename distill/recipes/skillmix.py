"""Skill-mix: tuning on texts that show few skills at once lifts texts that need more (2409.19808).

A skill is a constraint on a list of letters, and a request states k of them. Rows are requests
with a solver's answers, drawn without end, so that every arm learns from equally many tokens:

    upto(K):   k ~ uniform{1..K} for every row, K = 1, 2, 3;   L = - sum_t log pi(y_t | x, y_<t)
    summed:    theta + sum_c d_c,        averaged:  theta + (1/|C|) sum_c d_c

where d_c is an adapter tuned on those rows of upto(1) that are of category c, and C are the
categories of the request: mixing in the space of parameters, without a text that shows two skills.
Judged are sets of four that the base never saw; sets of three and five, and of four with a
constraint of a category that no arm was tuned on, are reported.

Departs: constraints that a program checks stand for graded rhetoric, and a solver for the teacher
(the paper: 101 skills, 13,957 texts of a large model); no topics; every arm starts from the base.
"""

import itertools
import random
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field

from ..evaluation import (
    Above,
    Absent,
    Arm,
    Below,
    Budget,
    Controls,
    Criterion,
    diff,
    mean,
    oracle_arm,
)
from ..learning.settings import SftSettings
from ..skill_arms import none_arm
from ..skill_training import SkillTraining
from ..worlds.constraints.mixing import (
    CATEGORIES,
    Category,
    Key,
    categories_of,
    judged_tasks,
    key_of,
    kinds_of,
    majority_answer,
    passes_with,
    practice_tasks,
)
from ..worlds.constraints.tasks import ConstraintTask
from .course import Course, open_course
from .lessons import expert_rows
from .mixtures import averaged_arm, best_of, summed_arm
from .rows import rows_of_tokens, tokens_within
from .run import Finished, Recipe, RecipeContext
from .slices import slice_notes, sliced

JUDGED = "k4"
"""The slice of items that the criterion speaks of."""

CRITERION = Criterion(
    statement="Tuning on up to three skills at once lifts texts of four, and further than tuning "
    "on single skills does for the same tokens.",
    preconditions=(Below(what=mean("none"), bar=0.80),),
    clauses=(
        Above(what=diff("upto3", "upto1"), bar=0.0),
        Above(what=diff("upto3", "none"), bar=0.0),
    ),
)
FULL = CRITERION.model_copy(update={"scope": "full"})
PAIRS = (("upto3", "upto1"), ("upto2", "upto1"), ("summed", "upto1"), ("averaged", "upto1"))
"""What is compared beside the clauses, in every slice."""

LARGEST = 3
"""Most constraints of a row; one arm for each number up to it."""
NUM_SAMPLES = 16
FEWEST_TOKENS = 2000


class Skillmix(SkillTraining):
    """Settings of the recipe; no teacher is asked, so those about requests are not used."""

    type: Literal["skillmix"] = "skillmix"
    held_out: Literal["counting", "order", "repetition", "inclusion"] = "repetition"
    """The category that no arm is tuned on; positional is none, as every judged set needs it."""
    num_tokens: int = Field(default=40_000, ge=FEWEST_TOKENS)
    """Tokens of the rows of every arm, prompts included."""
    num_sets: int = Field(default=72, ge=2)
    """Judged sets of four constraints."""
    num_other_sets: int = Field(default=24, ge=2)
    """Sets of every other slice."""
    items_a_set: int = Field(default=2, ge=1)
    """Requests of every set: other letters, other words."""
    sft: SftSettings = SftSettings(epochs=1, dev_share=0.0)
    """How an adapter is trained; with one epoch no row is seen twice."""

    @property
    def seen(self) -> tuple[Category, ...]:
        """The categories that arms are tuned on."""
        return tuple(name for name in CATEGORIES if name != self.held_out)


def run(config: Skillmix, context: RecipeContext) -> Finished:
    """Tune on up to 1, 2 and 3 constraints and on each category; judge four, report the rest."""
    items = judged_items(config, seed=context.seed)
    needs = {item.family: [c for c in categories_of(item.spec) if c in config.seen]
             for item in items}  # fmt: skip
    num_parts, num_sums = len(config.seen), len({*map(tuple, needs.values())})
    with open_course(
        "skillmix", config, context,
        adapters=LARGEST + num_parts + 2 * num_sums, rank=num_parts * config.sft.rank,
    ) as course:  # fmt: skip
        taken = {key_of(item.spec) for item in items}
        shown = [practice(course, config, largest=k + 1, taken=taken) for k in range(LARGEST)]
        tuned = [carried(course, f"upto{k}", tasks) for k, tasks in enumerate(shown, 1)]
        parts = {
            name: carried(course, name, [t for t in shown[0] if categories_of(t.spec) == (name,)])
            for name in config.seen
        }
        mixed = {family: [parts[name] for name in names] for family, names in needs.items()}
        arms = [none_arm(), *tuned, summed_arm(mixed), averaged_arm(mixed), oracle_arm()]
        if context.full:
            arms += [best_of(arm, NUM_SAMPLES) for arm in tuned if arm.name != "upto2"]
        criterion = FULL if context.full else CRITERION
        slices = sliced(course.ask(arms, items, criterion=criterion))
        judged = slices.pop(JUDGED)
        notes = [*slice_notes(slices, PAIRS, seed=context.seed), majority_note(shown[-1], items)]
        return replace(course.finished(judged, criterion=criterion, notes=notes), pairs=PAIRS)


def judged_items(config: Skillmix, *, seed: int) -> list[ConstraintTask]:
    """Sets of three to five of the seen categories, and of four with one of the held-out one."""
    rng = random.Random(f"skillmix:{seed}:judged")
    kinds, other = kinds_of(config.seen), CATEGORIES[config.held_out]
    out = []
    for size, name in ((4, JUDGED), (3, "k3"), (5, "k5"), (4, "held-out")):
        need = other if name == "held-out" else ()
        out += judged_tasks(
            rng, size, name=name, kinds=(*kinds, *need), need=need,
            num_sets=config.num_sets if name == JUDGED else config.num_other_sets,
            items_a_set=config.items_a_set,
        )  # fmt: skip
    return out


def practice(
    course: Course, config: Skillmix, *, largest: int, taken: Collection[Key]
) -> list[ConstraintTask]:
    """Requests of up to `largest` constraints whose rows hold the tokens of an arm."""
    rng = random.Random(f"skillmix:{course.context.seed}:{largest}")
    endless = practice_tasks(rng, largest, kinds=kinds_of(config.seen), taken=taken)
    tasks, again = itertools.tee(endless)
    rows = rows_of_tokens(
        (expert_rows([task])[0] for task in tasks),
        num_tokens=config.num_tokens, bench=course.bench, budget=course.context.budget,
    )  # fmt: skip
    return list(itertools.islice(again, len(rows)))


def carried(course: Course, name: str, tasks: Sequence[ConstraintTask]) -> Arm:
    """An arm with one adapter, tuned on the experts' answers to these requests."""
    about = f"Tuned on {len(tasks)} rows: {name}."
    rows = expert_rows(tasks)
    model = course.carry_rows(f"skillmix-{name}", rows, description=about, licence="Apache-2.0")
    return Arm(name, about, model=model)


def majority_note(shown: Sequence[ConstraintTask], items: Sequence[ConstraintTask]) -> str:
    """What one constant answer would pass of the judged items."""
    places, judged = majority_answer(shown), [i for i in items if i.family.startswith(JUDGED)]
    passed = sum(passes_with(places, item) for item in judged)
    return f"the most frequent answer of the rows passes {passed} of {len(judged)} judged items"


def fit(config: Skillmix, budget: Budget) -> Skillmix:
    """As many tokens an arm as the budget allows; see `tokens_within`."""
    num_tokens = tokens_within(config.num_tokens, budget, num_arms=LARGEST, fewest=FEWEST_TOKENS)
    return config.model_copy(update={"num_tokens": num_tokens})


CONTROLS: Controls = {
    "none": "none",
    "oracle": "oracle",
    "shuffled": Absent("the method has no text in its prompt"),
    "random": Absent("upto1 is stronger: an adapter trained on as many tokens of the same skills"),
    "placebo": Absent("the method has no text in its prompt"),
    "budget": "upto1",
}

RECIPE = Recipe(
    Skillmix,
    run,
    source="Can models learn skill composition from examples?, arXiv:2409.19808",
    method="upto3",
    worlds=("constraints",),
    controls=CONTROLS,
    full_controls=CONTROLS,
    fit=fit,
)
