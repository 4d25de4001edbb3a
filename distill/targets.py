"""Several consumers of the same skills: every item is asked of every target, under the same arms.

Owns the wrapping of tasks into (task, target) and the `Ask` that samples as the target does.
Refuses to own what is computed from it (`evaluation/lifecycle.py`). A target here is a manner of
sampling from the served base; another base is a server of its own: give its policy to
`AskTargets` under the target's name.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from .evaluation import Answer, Arm, EvaluationError, Item
from .evaluation.lifecycle import TARGET_MARK
from .policy import Policy, Sampling
from .rollouts.seeds import derived_seed
from .skill_arms import AskServed
from .worlds.types import Environment, Message, Split, Task, Verdict


@dataclass(frozen=True)
class Target:
    """Who uses a skill: a name, and how its answers are drawn.

    Raises:
        ValueError: the name holds the mark that separates it from an item's id.
    """

    name: str
    sampling: Sampling

    def __post_init__(self) -> None:
        if not self.name or TARGET_MARK in self.name:
            raise ValueError(f"target {self.name!r}: expected a name without {TARGET_MARK!r}")


@dataclass(frozen=True)
class ForTarget:
    """A task as it is put to one target; a `Task`. The target is part of its content."""

    task: Task
    target: Target

    @property
    def id(self) -> str:
        return f"{self.task.id}{TARGET_MARK}{self.target.name}"

    @property
    def family(self) -> str:
        return self.task.family

    @property
    def split(self) -> Split:
        return self.task.split

    @property
    def messages(self) -> tuple[Message, ...]:
        return self.task.messages

    @property
    def meta(self) -> Mapping[str, str]:
        drawn = json.dumps(asdict(self.target.sampling), sort_keys=True)
        return {**self.task.meta, "target": self.target.name, "sampling": drawn}

    def verify(self, text: str) -> Verdict:
        return self.task.verify(text)

    def environment(self) -> Environment:
        return self.task.environment()


def for_targets(tasks: Sequence[Task], targets: Sequence[Target]) -> list[Task]:
    """Every task for every target.

    Raises:
        ValueError: no target, or two of one name.
    """
    names = [target.name for target in targets]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"targets {names}: expected at least one, each name once")
    return [ForTarget(task, target) for target in targets for task in tasks]


class AskTargets:
    """Asks an item as its target answers; satisfies `evaluation.Ask`.

    Every arm is asked an item with the same seed, so what chance does to one it does to all.

    Args:
        policies: of targets that another policy serves, by the target's name.
    """

    def __init__(self, policy: Policy, policies: Mapping[str, Policy] | None = None) -> None:
        self._policy = policy
        self._policies = dict(policies or {})

    async def __call__(self, arm: Arm, item: Item, /) -> Answer:
        """Ask it.

        Raises:
            EvaluationError: the item is of no target.
        """
        if not isinstance(item, ForTarget):
            raise EvaluationError(f"item {item.id!r} is of no target; make it with for_targets")
        target = item.target
        sampling = target.sampling
        if not sampling.greedy:
            sampling = replace(sampling, seed=derived_seed(sampling.seed or 0, item.task.id))
        policy = self._policies.get(target.name, self._policy)
        return await AskServed(policy, sampling)(arm, item)
