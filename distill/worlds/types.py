"""What every world offers: tasks with verifiable answers, and environments of one or more turns.

Owns the nouns (`Task`, `Verdict`, `Observation`, `Environment`) that training, evaluation and
routing share. Refuses to own any world: one folder or file beside this one holds each. To add a
world, write its tasks against these types; a one-turn task becomes an environment by `OneTurn`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

Message = Mapping[str, str]
"""One chat message: `role` and `content`."""

Split = Literal["pretrain", "train", "dev", "test"]


@dataclass(frozen=True)
class Verdict:
    """The outcome of one answer or one episode: `reward` lies in [0, 1]."""

    passed: bool
    reward: float
    reason: str


@runtime_checkable
class Task(Protocol):
    """One request with a checkable answer.

    `id` is a content hash, so the same task has the same id everywhere; `family` groups tasks for
    clustered statistics (for skills: the skill's name); `messages` is what a policy is shown.
    """

    @property
    def id(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def split(self) -> Split: ...
    @property
    def messages(self) -> tuple[Message, ...]: ...
    @property
    def meta(self) -> Mapping[str, str]: ...

    def verify(self, text: str) -> Verdict:
        """Judge an answer: pure, deterministic, and never evaluates `text` as code."""
        ...


@dataclass(frozen=True)
class Observation:
    """What a policy sees before one decision."""

    messages: tuple[Message, ...]
    legal_actions: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Step:
    """What follows one decision; a truncated episode is never a success."""

    observation: Observation
    reward: float
    terminated: bool
    truncated: bool
    info: Mapping[str, str] = field(default_factory=dict)


class Environment(Protocol):
    """An episode of one or more decisions; single use per `reset`."""

    def reset(self, seed: int) -> Observation: ...
    def step(self, action: str) -> Step: ...
    def verdict(self) -> Verdict: ...


class OneTurn:
    """A sequence of tasks as an environment whose episodes have one decision.

    `reset(seed)` shows task number `seed` (modulo the number of tasks).

    Raises:
        ValueError: no tasks were given.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        if not tasks:
            raise ValueError("OneTurn got 0 tasks, expected at least one")
        self._tasks = tuple(tasks)
        self._task = self._tasks[0]
        self._verdict = Verdict(False, 0.0, "no answer was given")

    def reset(self, seed: int) -> Observation:
        self._task = self._tasks[seed % len(self._tasks)]
        self._verdict = Verdict(False, 0.0, "no answer was given")
        return Observation(self._task.messages)

    def step(self, action: str) -> Step:
        self._verdict = self._task.verify(action)
        return Step(Observation(()), self._verdict.reward, terminated=True, truncated=False)

    def verdict(self) -> Verdict:
        return self._verdict
