"""What an experiment may spend and has spent: rollouts, tokens, teacher calls.

Owns the counting and the refusal. Spending is asked for before it happens, so a limit is never
overrun by what can be known beforehand; tokens are known only afterwards, so the request that
overruns them is the last. Refuses to own what a rollout is (the caller's matter; evaluation is
not counted) and money.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self, get_args

from ...adapters.errors import BudgetExceeded, UsageError

Kind = Literal["rollouts", "tokens", "teacher_calls"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Budget:
    """Limits and what was spent under them; without limits it only counts.

    Args:
        limits: by kind, the most that may be spent; a kind that is not named has no limit.

    Raises:
        UsageError: an unknown kind, or a limit below 1.
    """

    def __init__(self, limits: Mapping[Kind, int] | None = None) -> None:
        self.limits: dict[Kind, int] = dict(limits or {})
        for kind, limit in self.limits.items():
            if kind not in KINDS or limit < 1:
                raise UsageError(
                    f"budget {kind}={limit}: expected one of {', '.join(KINDS)} and a limit of at "
                    "least 1"
                )
        self._spent: dict[Kind, int] = dict.fromkeys(KINDS, 0)

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `rollouts=200,tokens=50000`; empty text is no limit.

        Raises:
            UsageError: anything else.
        """
        limits: dict[Kind, int] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, _, number = part.partition("=")
            kind = next((kind for kind in KINDS if kind == name.strip()), None)
            if kind is None or not number.strip().isdecimal() or kind in limits:
                raise UsageError(
                    f"budget {part!r}: expected KIND=NUMBER with each of {', '.join(KINDS)} at "
                    "most once, such as rollouts=200,tokens=50000"
                )
            limits[kind] = int(number)
        return cls(limits)

    @property
    def spent(self) -> dict[Kind, int]:
        """By kind, what was spent so far."""
        return dict(self._spent)

    def left(self, kind: Kind) -> int | None:
        """What may still be spent; None where there is no limit."""
        limit = self.limits.get(kind)
        return None if limit is None else max(0, limit - self._spent[kind])

    def renewed(self) -> Budget:
        """The same limits with nothing spent: each recipe and seed gets its own."""
        return Budget(self.limits)

    def spend(self, kind: Kind, amount: int = 1, *, on: str = "") -> None:
        """Count what is about to be spent.

        Args:
            amount: at least 0.
            on: what for, for the message.

        Raises:
            BudgetExceeded: it would overrun the limit; nothing is counted then.
            UsageError: a negative amount, which would give back what was spent.
        """
        _require_amount(kind, amount)
        left = self.left(kind)
        if left is not None and amount > left:
            raise BudgetExceeded(self._words(kind, f"{amount} more", on))
        self._spent[kind] += amount

    def record(self, kind: Kind, amount: int, *, on: str = "") -> None:
        """Count what was spent already, such as the tokens of an answer.

        Raises:
            BudgetExceeded: the limit is overrun now; the amount is counted all the same.
            UsageError: a negative amount.
        """
        _require_amount(kind, amount)
        self._spent[kind] += amount
        limit = self.limits.get(kind)
        if limit is not None and self._spent[kind] > limit:
            raise BudgetExceeded(self._words(kind, f"{amount} of the last request", on))

    def _words(self, kind: Kind, amount: str, on: str) -> str:
        what = f" for {on}" if on else ""
        return (
            f"budget of {kind}: {self._spent[kind]} of {self.limits[kind]} spent, {amount}{what} "
            "would be too many. Raise the budget, or give the recipe settings that fit it"
        )


def _require_amount(kind: Kind, amount: int) -> None:
    if amount < 0:
        raise UsageError(
            f"{amount} {kind} to count: expected at least 0; nothing is ever given back"
        )
