"""The programmatic teacher of the world of functions: which function an answer gets wrong.

Owns what it says as `attribute`, and the table. Refuses to own how often it errs
(`programmatic.py`). A failure's name is the function's name, so that failures can be counted by
skill.
"""

from collections.abc import Collection, Mapping

from ...adapters.errors import UsageError
from ..worlds.fg import NAMES, trace
from ..worlds.string_skills.answers import FINAL
from .answers import Cause
from .asking import AskedTeacher
from .programmatic import Craft, ProgrammaticSource, Rates
from .records import Records
from .roles import PRIVILEGED, TRUTH, Payload, RoleName
from .string_told import Rng
from .types import TeacherBudget

FORM = "final-line"
"""The failure of an answer whose steps are right and whose final line is not."""


def attribute(told: Payload, rng: Rng) -> Cause:
    """The first step that is not that of the worked answer it was told, by its function's name.

    Raises:
        UsageError: the worked answer was not told.
    """
    del rng
    if TRUTH not in told:
        raise UsageError("the attribution of functions needs the worked answer as truth")
    seen, right = trace(str(told["answer"])), trace(str(told[TRUTH]))
    for number, (name, items) in enumerate(right, 1):
        if len(seen) < number or seen[number - 1] != (name, items):
            return Cause(failure_mode=name, step=number, why=f"{name} gives {' '.join(items)}")
    if _finals(str(told["answer"])) != _finals(str(told[TRUTH])):
        return Cause(failure_mode=FORM, why="the steps are right and the final line is not")
    return Cause(failure_mode="")


def attribute_wrong(told: Payload, rng: Rng) -> Cause:
    """A function that the call does not name."""
    named = {name for name, _ in trace(str(told.get(TRUTH, "")))}
    return Cause(failure_mode=rng.choice([name for name in NAMES if name not in named]), step=1)


def _finals(answer: str) -> list[str]:
    return [" ".join(line.split()) for line in answer.splitlines() if line.startswith(FINAL)]


CRAFTS: Mapping[RoleName, Craft] = {
    "attribute": Craft(attribute, attribute_wrong, lambda told, rng: Cause(failure_mode="other")),
}


def functions_teacher(
    *,
    rates: Mapping[RoleName, Rates] | None = None,
    privileged: Collection[str] = PRIVILEGED,
    attempts: int = 3,
    records: Records | None = None,
    budget: TeacherBudget | None = None,
) -> AskedTeacher:
    """A deterministic teacher of named functions; see `AskedTeacher`, `ProgrammaticSource`."""
    return AskedTeacher(
        ProgrammaticSource(CRAFTS, label="fg", rates=rates),
        attempts=attempts,
        records=records,
        budget=budget,
        privileged=privileged,
    )
