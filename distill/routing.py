"""Fits the router behind `auto` on what training left: descriptions, requests, and dev states."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..router.fit_types import DevState, RoutedSkill
from ..router.router import Router
from ..router.types import Form, Message, State
from .skill_training import Carried
from .worlds.types import Task


def state_of(request: str) -> State:
    """A conversation of one user message."""
    return State((Message("user", request),))


def request_of(task: Task) -> str:
    """What the user wrote in a one-turn task."""
    return task.messages[-1]["content"]


def fit_router(
    carried: Sequence[Carried],
    forms: Mapping[str, Form],
    dev: Mapping[str, Sequence[Task]],
    strays: Sequence[str],
    *,
    base: str,
    base_dir: Path,
    seed: int,
) -> Router:
    """Fit every selector and keep the best one on dev.

    Args:
        carried: the skills with the requests their adapters were trained on.
        forms: skill name -> form by evidence.
        dev: skill name -> dev tasks, none of them trained on.
        strays: requests that belong to no skill, on which it should abstain.
        base: family digest of the base; `base_dir` is its folder.
    """
    skills = [
        RoutedSkill(
            name=one.skill.name,
            description=one.skill.description,
            requests=tuple(d.messages[-1]["content"] for d in one.lesson.demonstrations),
            form=forms[one.skill.name],
            digest=one.version.version_digest,
        )
        for one in carried
    ]
    states = [
        DevState(state_of(request_of(task)), name) for name, tasks in dev.items() for task in tasks
    ]
    states += [DevState(state_of(request), None) for request in strays]
    return Router.fit(skills, states, base=base, base_dir=base_dir, seed=seed)
