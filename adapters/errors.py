"""The one error tree of skillweave.

Owns every exception that one room raises and another may catch, and `Problem`, one finding of a
gate. Refuses to own HTTP status codes (`server/` has its own table) and any recovery logic.
To add one: derive from `SkillweaveError` and from the built-in that a caller who has never heard
of us would catch, and add it to the tree below.

    SkillweaveError (Exception)
    ├── SkillError (ValueError)            a SKILL.md that cannot be read or may not be written
    ├── RefusedSkill (ValueError)          a valid skill that cannot be trained on this base
    ├── InvalidName (ValueError)           a name, alias or version that breaks the rules of names
    ├── ModelStringError (ValueError)      a `model` string that does not parse
    ├── NotFound (LookupError)             no such adapter, version, alias, object or rows
    ├── Conflict (ValueError)              the state changed under the caller, or the name is taken
    ├── AdapterRefused (ValueError)        the gate found problems; all of them in `.problems`
    ├── BaseMismatch (ValueError)          two base models that are not of one family
    ├── StoreError (OSError)               the store's files could not be read or written
    ├── HubError (RuntimeError)             a hub is unreachable, or does not do what was asked
    ├── TeacherError (RuntimeError)        the teacher is unreachable or answers nonsense
    ├── EngineError (RuntimeError)         an engine failed
    │   ├── EngineMissing                  the engine's software is not installed
    │   └── PortInUse                      the address to listen on is taken
    ├── BudgetExceeded (RuntimeError)      an experiment asked for more than it may spend
    ├── TrainingDiverged (ArithmeticError) a loss that is no finite number
    └── UsageError (ValueError)            a command or configuration that makes no sense
        └── MissingAbility                 a policy cannot do what is asked of it

A message says what was wrong, the value seen, what was expected, and what to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One finding of a gate.

    `code` is stable and meant for programs (`bin_weights`, `wrong_shape`, ...), `message` says what
    was seen and what was expected, `remedy` says what to do.
    """

    code: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        tail = f" Remedy: {self.remedy}" if self.remedy else ""
        return f"[{self.code}] {self.message}{tail}"


class SkillweaveError(Exception):
    """Root of everything skillweave raises on purpose."""


class SkillError(SkillweaveError, ValueError):
    """A SKILL.md folder that cannot be read, or that may not be written."""


class RefusedSkill(SkillweaveError, ValueError):
    """A valid skill that cannot be turned into weights here; the message names what would work."""


class InvalidName(SkillweaveError, ValueError):
    """A name, namespace, alias or version number that breaks the rules of names."""


class ModelStringError(SkillweaveError, ValueError):
    """A `model` string that does not follow the grammar."""


class NotFound(SkillweaveError, LookupError):
    """Nothing is stored under this reference; the message says what exists."""


class Conflict(SkillweaveError, ValueError):
    """What the caller expected to find was changed by somebody else, or the name is taken."""


class AdapterRefused(SkillweaveError, ValueError):
    """An adapter that the gate turned away, with every problem found and not just the first.

    Args:
        problems: at least one finding.
        subject: what was examined, usually a path; opens the message.
    """

    def __init__(self, problems: Sequence[Problem], subject: str = "adapter") -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.subject = subject
        super().__init__(self.problems, subject)  # keeps the exception picklable

    def __str__(self) -> str:
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        return f"{self.subject} was refused ({len(self.problems)} problem(s)):\n{lines}"


class BaseMismatch(SkillweaveError, ValueError):
    """Two base models that are not of one family; the message holds both digests."""


class StoreError(SkillweaveError, OSError):
    """The store's files could not be read or written; nothing half-written is listed."""


class HubError(SkillweaveError, RuntimeError):
    """A hub cannot be reached, or does not do what was asked."""


class TeacherError(SkillweaveError, RuntimeError):
    """The teacher cannot be reached, or its answers cannot be used."""


class EngineError(SkillweaveError, RuntimeError):
    """An engine did not start, died, or refused a request it should have taken."""


class EngineMissing(EngineError):
    """The engine's software is not installed; the message names the set-up that brings it."""


class PortInUse(EngineError):
    """Another process listens on the address that was asked for."""


class BudgetExceeded(SkillweaveError, RuntimeError):
    """More was asked for than an experiment may spend; what was spent stays counted."""


class TrainingDiverged(SkillweaveError, ArithmeticError):
    """A loss that is no finite number, or a trainer that has left its engine behind.

    The weights since the last checkpoint are worth nothing.
    """


class UsageError(SkillweaveError, ValueError):
    """A command line or configuration that cannot mean anything; exit code 2."""


class MissingAbility(UsageError):
    """A policy cannot do what is asked of it; the message names the ability and who has it."""
