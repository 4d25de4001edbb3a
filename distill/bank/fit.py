"""Which skills go into a prompt of so many tokens. Pure.

Owns the choice. Refuses to own how tokens are counted (`token_meter.py`) and how utility is
measured (`utility.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .types import SkillText


@dataclass(frozen=True)
class Candidate:
    """A skill, what its body costs, and its measured utility; None where nobody measured."""

    text: SkillText
    tokens: int
    utility: float | None


@dataclass(frozen=True)
class Fit:
    """What was chosen, best first, and what it costs together."""

    chosen: tuple[Candidate, ...]
    tokens: int

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(candidate.text.name for candidate in self.chosen)


def fit(candidates: Sequence[Candidate], budget_tokens: int) -> Fit:
    """Take skills by utility, highest first, as long as they fit; a skill too long is passed over.

    Measured skills go before those nobody measured; those measured at 0 or less are left out, since
    their text does not help. Ties go to the shorter, then by name. Greedy on purpose: which skills
    stand in a prompt should not jump when one changes by a token.
    """
    wanted = [c for c in candidates if c.utility is None or c.utility > 0.0]
    chosen: list[Candidate] = []
    left = budget_tokens
    for candidate in sorted(wanted, key=_order):
        if candidate.tokens <= left:
            chosen.append(candidate)
            left -= candidate.tokens
    return Fit(tuple(chosen), budget_tokens - left)


def priced(
    text: SkillText, utility: float | None, *, count_tokens: Callable[[str], int]
) -> Candidate:
    """A candidate with the tokens of its body."""
    return Candidate(text, count_tokens(text.body), utility)


def _order(candidate: Candidate) -> tuple[bool, float, int, str]:
    unmeasured = candidate.utility is None
    return unmeasured, -(candidate.utility or 0.0), candidate.tokens, candidate.text.name
