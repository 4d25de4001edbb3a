"""Tasks with verifiable answers, and episodes of one turn or more. Pure.

Owns the nouns that training, evaluation and routing share. Refuses to own any world: one folder
beside this one holds each. To add a world, write its tasks against these types and a `World`
(`world.py`); a task of one turn becomes an episode by `OneTurn`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

Message = Mapping[str, str]
"""One chat message: `role` and `content`."""


def exchange(request: str, answer: str) -> tuple[Message, Message]:
    """What a user asks and an assistant answers, as messages."""
    return {"role": "user", "content": request}, {"role": "assistant", "content": answer}


Split = Literal["pretrain", "train", "dev", "test"]


@dataclass(frozen=True)
class Verdict:
    """The outcome of one answer or one episode: `reward` lies in [0, 1]."""

    passed: bool
    reward: float
    reason: str


@dataclass(frozen=True)
class Observation:
    """What a policy sees before one decision: the messages that are new since its last one."""

    messages: tuple[Message, ...]
    legal_actions: tuple[str, ...] | None = None
    """What the world would understand now; None where an action is free text."""


@dataclass(frozen=True)
class Step:
    """What follows one decision; a truncated episode is never a success."""

    observation: Observation
    reward: float
    terminated: bool
    truncated: bool
    info: Mapping[str, str] = field(default_factory=dict)


class Environment(Protocol):
    """One episode: `reset` begins it anew, and the same seed gives the same one."""

    def reset(self, seed: int) -> Observation: ...
    def step(self, action: str) -> Step: ...
    def verdict(self) -> Verdict:
        """How it stands now; not passed before anything was done."""
        ...

    def expert(self) -> str | None:
        """The action that an expert takes now; None where there is none."""
        ...

    def describe(self) -> str:
        """The state in words, for people and for routers."""
        ...


@runtime_checkable
class Task(Protocol):
    """One request with a checkable answer, or one episode with a checkable end.

    `id` is a content hash, so the same task has the same id everywhere; `family` groups tasks for
    clustered statistics (for skills: the skill's name); `messages` is what a policy is shown first.
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
        """Judge an answer: pure, deterministic, and never evaluates `text` as code.

        Of an episode, `text` is a plan: one action a line, carried out in order.
        """
        ...

    def environment(self) -> Environment:
        """A new episode of this task; `reset(0)` shows `messages`."""
        ...


class OneTurn:
    """A task of one request and one answer as an episode with one decision.

    Args:
        worked: the reference answer, in full; None where there is none.
    """

    def __init__(self, task: Task, *, worked: str | None = None) -> None:
        self._task = task
        self._worked = worked
        self._verdict = Verdict(False, 0.0, "no answer was given")

    def reset(self, seed: int) -> Observation:
        self._verdict = Verdict(False, 0.0, "no answer was given")
        return Observation(self._task.messages)

    def step(self, action: str) -> Step:
        self._verdict = self._task.verify(action)
        return Step(Observation(()), self._verdict.reward, terminated=True, truncated=False)

    def verdict(self) -> Verdict:
        return self._verdict

    def expert(self) -> str | None:
        return self._worked

    def describe(self) -> str:
        return "\n".join(message["content"] for message in self._task.messages)
