"""A student of named functions whose weaknesses are known: what it is taught, and how often.

Owns the skills, the requests of every split, and the rows that the student learns from. Refuses to
own what is made of it: whatever diagnoses a student is held against `Planted.quotas`.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ...adapters.skills import Skill
from ..curricula import within_quotas
from ..worlds.fg import FunctionsSpec, asking, draw_functions, functions_skill, spec_of
from ..worlds.types import Split, Task
from .course import Course


@dataclass(frozen=True)
class Planted:
    """`quotas`: function -> in how many rows of `known`, the student's own, it may stand.

    `pool` holds the other training requests; `dev` and `test` those of their splits.
    """

    quotas: dict[str, int]
    known: list[Task]
    pool: list[Task]
    dev: list[Task]
    test: list[Task]


def functions_skills(num_skills: int, num_functions: int, *, seed: int) -> list[Skill]:
    """Held-out skills of so many functions each, no name of a function in two of them."""
    rng = random.Random(f"planted:{seed}")
    skills: list[Skill] = []
    used: set[str] = set()
    while len(skills) < num_skills:
        functions = draw_functions(rng, num_functions, held_out=True)
        names = {name for name, _ in functions}
        if used.isdisjoint(names):
            used |= names
            title = f"functions-{len(skills) + 1}"
            skills.append(functions_skill(FunctionsSpec(functions, 1), seed=seed, name=title))
    return skills


def plant(
    course: Course,
    skills: Sequence[Skill],
    *,
    taught: Sequence[int],
    depths: Sequence[int],
    num_train: int,
    num_dev: int,
    num_test: int,
) -> Planted:
    """Requests of every skill and depth, and those that the student learns from: a mixture.

    Args:
        taught: by place of a function in its skill, its quota.
        depths: how many functions a request nests.
        num_train: of every skill and depth; so are the two others.
    """

    def requests(split: Split, num_items: int) -> list[Task]:
        asked = [[asking(skill, depth) for skill in skills] for depth in depths]
        return [task for row in asked for task in course.tasks(row, split, num_items=num_items)]

    quotas = {
        name: quota
        for skill in skills
        for (name, _), quota in zip(spec_of(skill).functions, taught, strict=True)
    }
    test, dev = requests("test", num_test), requests("dev", num_dev)
    train = requests("train", num_train)
    random.Random(f"planted:{course.context.seed}").shuffle(train)  # or depth 1 takes every quota
    known = within_quotas(train, quotas, labels=labels)
    taken = {task.id for task in known}
    return Planted(quotas, known, [task for task in train if task.id not in taken], dev, test)


def labels(task: Task) -> list[str]:
    """The functions that a request calls."""
    return task.meta["chain"].split()


def depth(task: Task) -> str:
    """How many functions a request nests."""
    return task.meta["depth"]
