"""A planted student: few rows for the first function of a skill, many for the others."""

from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

from skillweave.adapters.skills import Skill
from skillweave.distill.recipes.course import Course
from skillweave.distill.recipes.planting import depth, functions_skills, labels, plant
from skillweave.distill.worlds.fg import WORLD, spec_of
from skillweave.distill.worlds.types import Split, Task


class Requests:
    """Of a course, the part that draws requests."""

    context = SimpleNamespace(seed=5)

    def tasks(self, skills: Sequence[Skill], split: Split, *, num_items: int) -> list[Task]:
        return [task for skill in skills for task in WORLD.tasks(skill, split, num_items, seed=5)]


def test_the_students_rows_keep_to_the_quotas_and_mix_the_depths() -> None:
    skills = functions_skills(3, 3, seed=5)
    plan = plant(
        cast(Course, Requests()), skills, taught=(1, 9, 9), depths=(1, 2),
        num_train=60, num_dev=2, num_test=3,
    )  # fmt: skip
    weak = {spec_of(skill).functions[0][0] for skill in skills}
    assert {name for name, quota in plan.quotas.items() if quota == 1} == weak
    seen = Counter(name for task in plan.known for name in set(labels(task)))
    assert all(seen[name] == 1 for name in weak)
    assert all(8 <= seen[name] <= 9 for name in plan.quotas if name not in weak)
    depths = Counter(depth(task) for task in plan.known)
    assert min(depths["1"], depths["2"]) >= 5  # neither depth takes all the quotas
    known = {task.id for task in plan.known}
    assert len(plan.pool) == 3 * 2 * 60 - len(plan.known)
    assert known.isdisjoint(task.id for task in plan.pool)
    assert (len(plan.dev), len(plan.test)) == (3 * 2 * 2, 3 * 2 * 3)
