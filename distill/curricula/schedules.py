"""How a budget falls over the steps of a run. Pure.

Owns the shapes that recipes share: how much of a hint, a prefix or a penalty is left, and which of
several equal phases a step is in. Rates of learning are in `learning/schedule.py`. To add a shape:
a word in `Shape` and a row in `decay`.
"""

import math
from typing import Literal

from ...adapters.errors import UsageError

Shape = Literal["constant", "linear", "cosine"]


def decay(step: int, *, num_steps: int, shape: Shape = "cosine") -> float:
    """Share of a budget that is left at `step`: 1 at step 0, 0 from the last step on.

        linear: 1 - x      cosine: (1 + cos(pi x)) / 2      x = step / (num_steps - 1)

    A run of one step has all of it; `constant` always has.

    Raises:
        UsageError: a step below 0, or no steps.
    """
    _checked(step, num_steps)
    if shape == "constant" or num_steps == 1:
        return 1.0
    passed = min(1.0, step / (num_steps - 1))
    return 1 - passed if shape == "linear" else 0.5 * (1 + math.cos(math.pi * passed))


def phase_of(step: int, *, num_steps: int, num_phases: int) -> int:
    """Number of the phase, floor(step P / num_steps): equally long ones, the last without an end.

    Raises:
        UsageError: a step below 0, no steps, or no phases.
    """
    _checked(step, num_steps)
    if num_phases < 1:
        raise UsageError(f"{num_phases} phases: expected at least 1")
    return min(step * num_phases // num_steps, num_phases - 1)


def linear_budgets(num_skills: int, num_phases: int) -> tuple[int, ...]:
    """M(p) = ceil(N (P - 1 - p) / (P - 1)) for each phase: all at first, none at last.

    Raises:
        UsageError: fewer than two phases.
    Source: SKILL0, arXiv:2604.02268, read as linear decay; its own are (6, 3, 0) and (5, 3, 0).
    """
    if num_phases < 2:
        raise UsageError(
            f"{num_phases} phases: expected at least 2, one with all and one with none"
        )
    last = num_phases - 1
    return tuple(-(-num_skills * (last - phase) // last) for phase in range(num_phases))


def _checked(step: int, num_steps: int) -> None:
    if step < 0 or num_steps < 1:
        raise UsageError(f"step {step} of {num_steps}: expected a step from 0 of at least 1")
