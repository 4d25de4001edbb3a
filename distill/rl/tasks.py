"""Tasks of a step from pools, by the categories that a curriculum chooses. Pure, no torch.

Owns the way between `curricula/`, which sees categories and rewards, and the seam of tasks, which
sees tasks and groups. Refuses to own any rule of choice.
"""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
from pydantic import JsonValue

from ...adapters.errors import UsageError
from ..curricula.curriculum import CategoryCurriculum, GroupSeen
from ..curricula.drawing import draw_of_each
from ..worlds.types import Task
from .groups import Group


class CurriculumTasks:
    """A `TaskSampler` and `Stateful`: a category for each slot, then tasks evenly within it.

    None comes twice in a call while its pool lasts.

    Args:
        curriculum: a value; after `observe` its successor stands here.
        pools: the tasks of each category.

    Raises:
        UsageError: a category without a task, or one task in two categories.
    """

    def __init__(self, curriculum: CategoryCurriculum, pools: Mapping[str, Sequence[Task]]) -> None:
        self.curriculum = curriculum
        self._pools = {name: tuple(tasks) for name, tasks in pools.items()}
        self._category: dict[str, str] = {}
        for name, tasks in self._pools.items():
            if not tasks:
                raise UsageError(f"category {name!r} has 0 tasks: expected at least one")
            for task in tasks:
                if self._category.setdefault(task.id, name) != name:
                    raise UsageError(
                        f"task {task.id} is in {self._category[task.id]!r} and in {name!r}: "
                        "expected one category"
                    )
        if lacking := set(curriculum.weights(0)) - set(self._pools):
            raise UsageError(f"category {min(lacking)!r} of the curriculum has no pool of tasks")

    def next(self, step: int, num_tasks: int, rng: np.random.Generator) -> Sequence[Task]:
        names = self.curriculum.next(step, rng=rng, num=num_tasks)
        return draw_of_each(names, self._pools, rng=rng)

    def observe(self, step: int, groups: Sequence[Group]) -> None:
        """Tell the curriculum of every group that was played; of a failed one there is nothing."""
        seen = [
            GroupSeen(self._category[one.task_id], one.rewards) for one in groups if one.rewards
        ]
        self.curriculum = self.curriculum.observe(step, seen)

    def state(self) -> JsonValue:
        return cast("JsonValue", dict(self.curriculum.state()))

    def load_state(self, state: JsonValue) -> None:
        if not isinstance(state, dict):
            raise UsageError(f"a curriculum's state of {state!r}: expected what `state` gave")
        self.curriculum = self.curriculum.restored(state)
