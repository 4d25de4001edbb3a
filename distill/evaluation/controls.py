"""The controls that an experiment has, or says why it has not. Pure.

Owns the list of controls, what each of them rules out, and the check. Refuses to own how an arm
is made: those that need no recipe are in `control_arms.py` and `skill_arms.py`.

    controls = {
        "none": "none",
        "oracle": "oracle",
        "shuffled": Absent("no text stands in any prompt of the method"),
        ...
    }

To add a control: its name in `Control` and its line in `CONTROLS`; every recipe must then name it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from .errors import EvaluationError

Control = Literal["none", "oracle", "shuffled", "random", "placebo", "budget"]

CONTROLS: Mapping[Control, str] = {
    "none": "the base alone: that the base could do it all along",
    "oracle": "answers known to be right: that the verifier, not the method, sets the ceiling",
    "shuffled": "the same words in another order: that the words alone do it, whatever they say",
    "random": "a random adapter of equal norm: that any change of the weights does it",
    "placebo": "a text of equal length about something else: that more tokens do it",
    "budget": "the same budget spent without the method: that the spending does it",
}
"""Name -> what the arm is, and what its absence would leave possible."""


@dataclass(frozen=True, slots=True)
class Absent:
    """A control that an experiment does not have.

    Raises:
        EvaluationError: without a reason.
    """

    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise EvaluationError("a control is absent without a reason: say why in one sentence")


Controls = Mapping[Control, str | Absent]
"""Every control by name: the arm that is it, or why there is none."""


def require_declared(controls: Controls) -> None:
    """Fail before anything is spent when a control is neither named nor excused.

    Raises:
        EvaluationError: with every missing control and what it would rule out.
    """
    missing = [name for name in CONTROLS if name not in controls]
    if missing:
        listed = "; ".join(f"{name!r} ({CONTROLS[name]})" for name in missing)
        raise EvaluationError(
            f"the experiment does not speak of {len(missing)} of {len(CONTROLS)} controls: "
            f"{listed}. Name the arm, or Absent with the reason"
        )


def require_controls(controls: Controls, arms: Iterable[str]) -> None:
    """Fail when a control names an arm that was not run.

    Raises:
        EvaluationError: what `require_declared` raises, and such an arm.
    """
    require_declared(controls)
    present = set(arms)
    for name, arm in controls.items():
        if isinstance(arm, str) and arm not in present:
            raise EvaluationError(
                f"control {name!r} is said to be arm {arm!r}, and the run has "
                f"{', '.join(map(repr, sorted(present)))}. Add the arm, or Absent with the reason"
            )


def in_words(controls: Controls) -> dict[str, str]:
    """The controls as a verdict keeps them: the arm's name, or `absent: ` and the reason."""
    return {
        name: found if isinstance(found, str) else f"absent: {found.reason}"
        for name, found in controls.items()
    }
