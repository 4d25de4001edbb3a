"""What somebody else writes in the policy's place, and when. Pure.

Owns forced prefixes: of one answer, or whole turns of an episode. Refuses to own whether they are
learned (`learnable.py`). To add a plan: a function that returns a `Prefix`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ..worlds.types import Observation
from .trajectory import Provenance

Encode = Callable[[str], tuple[int, ...]]


@dataclass(frozen=True)
class Decision:
    """Where a prefix may be forced: turn `number`, what is seen, and what the expert would do.

    `encode` turns text into the policy's ids.
    """

    number: int
    observation: Observation
    expert: str | None
    encode: Encode


@dataclass(frozen=True)
class Forced:
    """Tokens put in front of what the policy draws; `whole` means that it draws nothing.

    Raises:
        ValueError: no tokens, or a provenance that is the prompt's or the policy's own.
    """

    ids: tuple[int, ...]
    provenance: Provenance
    whole: bool = False

    def __post_init__(self) -> None:
        if self.provenance in ("prompt", "policy"):
            raise ValueError(
                f"forced tokens of provenance {self.provenance!r}: expected demo_prefix, hint, "
                "expert or naive"
            )
        if not self.ids:
            raise ValueError("0 forced tokens: expected at least one, or no prefix at all")


Prefix = Callable[[Decision], Forced | None]
"""Asked before every decision; None leaves it to the policy."""


def text_prefix(text: str, provenance: Provenance = "hint") -> Prefix:
    """The first answer begins with `text`."""

    def plan(decision: Decision) -> Forced | None:
        return None if decision.number else Forced(decision.encode(text), provenance)

    return plan


def demo_prefix(share: float) -> Prefix:
    """The first answer begins with this share of the expert's tokens, rounded down.

    Where there is no expert, or the share holds no token, nothing is forced.

    Raises:
        ValueError: the share lies outside [0, 1).
    """
    if not 0 <= share < 1:
        raise ValueError(f"a demonstration's share of {share}: expected one in [0, 1)")

    def plan(decision: Decision) -> Forced | None:
        if decision.number or decision.expert is None:
            return None
        ids = decision.encode(decision.expert)
        shown = ids[: int(share * len(ids))]
        return Forced(shown, "demo_prefix") if shown else None

    return plan


def expert_turns(count: int) -> Prefix:
    """The expert takes the first `count` decisions of an episode, the policy the rest."""

    def plan(decision: Decision) -> Forced | None:
        if decision.number >= count or not decision.expert:
            return None
        return Forced(decision.encode(decision.expert), "expert", whole=True)

    return plan
