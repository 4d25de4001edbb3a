"""The nouns of teachers: `Teacher`, `Source`, what one attempt and one reply cost.

Owns the protocols. A teacher is asked in a role and gives a validated value; a source says a text.
Not to be confused with `demonstrations.Teacher`, a policy that answers a skill's own requests: that
one becomes a source by `sources.PolicySource`.
"""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from pydantic import BaseModel

from .roles import Payload, Question

Value = TypeVar("Value", bound=BaseModel)


class Teacher(Protocol):
    """Whoever can be asked in a role.

    Raises:
        MalformedAnswer: no attempt gave an answer of the form; it was rejected and counted.
        TeacherError: nobody answered.
        ReplayMiss: an offline teacher never recorded this.
        UsageError: what is asked makes no sense.
    """

    @property
    def label(self) -> str:
        """Who answers, with everything that changes its answers; no secrets in it."""
        ...

    async def ask(
        self, role: str, payload: Payload, *, schema: type[Value], seed: int = 0
    ) -> Value: ...


@dataclass(frozen=True)
class Said:
    """One attempt, before anybody checked it."""

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


class Source(Protocol):
    """Whoever says texts: a model, or a rule.

    Args:
        attempt: from 0; another attempt may say something else, the same one says the same.
        complaint: what was wrong with the attempt before; empty at first.

    Raises:
        TeacherError: nobody answered.
    """

    @property
    def label(self) -> str: ...

    async def say(self, asked: Question, *, attempt: int, complaint: str) -> Said: ...


class TeacherBudget(Protocol):
    """What `evaluation.Budget` offers of use here; raising ends the experiment."""

    def spend(self, kind: Literal["teacher_calls"], amount: int = 1, *, on: str = "") -> None:
        """Before a call; raises where none is left, and then nothing is counted."""
        ...

    def record(self, kind: Literal["tokens"], amount: int, *, on: str = "") -> None:
        """After a call."""
        ...
