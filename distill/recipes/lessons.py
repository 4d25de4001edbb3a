"""What surrounds lessons: how many requests a budget allows, notes on bad ones, rows without one.

Owns no step of a run; those are the course's (`course.py`). Pure but for the worlds it plays.
"""

from collections.abc import Sequence
from typing import TypeVar

from ...adapters import UsageError
from ..demonstrations import Demonstration
from ..evaluation import Budget, BudgetExceeded
from ..skill_training import Lesson, SkillTraining
from ..worlds.types import Task

Settings = TypeVar("Settings", bound=SkillTraining)

FEWEST_REQUESTS = 8
"""A skill is not taught with fewer."""


def requests_within(
    config: Settings, budget: Budget, *, num_skills: int, preflight: bool = True
) -> Settings:
    """As many requests a skill as the rollouts allow, never more than the settings say.

    Args:
        preflight: whether the preflight is asked as well, with the text and without it.

    Raises:
        BudgetExceeded: fewer than eight requests a skill would be left.
    """
    limit = budget.limits.get("rollouts")
    if limit is None:
        return config
    before = 2 * config.preflight_requests if preflight else 0
    num_requests = min(config.num_requests, limit // num_skills - before)
    if num_requests < FEWEST_REQUESTS:
        least = (FEWEST_REQUESTS + before) * num_skills
        raise BudgetExceeded(
            f"{limit} rollouts are too few for {num_skills} skills with {before} of preflight "
            f"each: expected at least {least}; raise the budget"
            f"{' or set preflight_requests lower' if preflight else ''}"
        )
    return config.model_copy(update={"num_requests": num_requests})


def taught_badly(lessons: Sequence[Lesson], config: SkillTraining) -> tuple[str, ...]:
    """A note for each skill that was taught from too few demonstrations, or not at all."""
    out = []
    for lesson in lessons:
        name, kept = lesson.skill.name, lesson.yielded.kept
        verified = f"{kept} of {lesson.yielded.asked} demonstrations verified"
        if not lesson.trainable:
            out.append(f"{name}: {verified}, so no adapter; its arm asks the base")
        elif kept < config.min_demonstrations:
            out.append(f"{name}: {verified}, fewer than the {config.min_demonstrations} wanted")
    return tuple(out)


def expert_rows(tasks: Sequence[Task]) -> list[Demonstration]:
    """Requests with their reference answers, where no teacher has to be asked.

    Raises:
        UsageError: a task whose world has no expert, or that takes more than one turn.
    """
    rows = []
    for task in tasks:
        environment = task.environment()
        environment.reset(0)
        answer = environment.expert()
        if answer is None or not environment.step(answer).terminated:
            raise UsageError(f"task {task.id!r} has no reference answer in one turn")
        rows.append(Demonstration(task.id, task.messages, answer))
    return rows
