"""The ways to compose, as settings; `type` names the method. Pure.

Owns their names, defaults and bounds, and which rank a method takes where none was asked for.
Refuses to own what a method does (`apply.py`) and where adapters come from (`compose.py`).
To add one: a settings class with a `type`, a place in `Method`, a case in `apply.apply`.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from ..algebra import Energy, Rank
from ..card import CardKind
from ..errors import UsageError

AUTO_SHARE = 0.99
"""What `--rank auto` keeps of the squared norm of every module."""

Share = Annotated[float, Field(gt=0, le=1)]
Seed = Annotated[int, Field(ge=0, lt=2**53)]  # what every reader of JSON holds exactly


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Linear(_Settings):
    """The weighted sum of the updates themselves; exact unless a smaller rank is asked for."""

    type: Literal["linear"] = "linear"


class Vector(_Settings):
    """A skill vector, `after - before`: two terms with opposite weights."""

    type: Literal["vector"] = "vector"


class Bai(_Settings):
    """Balanced actor initialisation of two adapters, `instruct` and `distill`, in this order."""

    type: Literal["bai"] = "bai"
    a: Share = 0.6
    """Share of the merge; the rest is the base."""


class Graft(_Settings):
    """Component graft: only the strongest rank-1 parts of the sum."""

    type: Literal["graft"] = "graft"
    keep: Share = 0.5
    """Share of the components that stays."""


class Ties(_Settings):
    """Trim every update, elect a sign per element, average those that agree."""

    type: Literal["ties"] = "ties"
    density: Share = 0.2
    """Share of each update's elements that stays."""


class Dare(_Settings):
    """Drop elements of every update at random and rescale the rest."""

    type: Literal["dare"] = "dare"
    density: Share = 0.5
    """Share of each update's elements that stays."""
    seed: Seed = 0
    """Of the random choice."""


class DareTies(_Settings):
    """As `dare`, with signs elected as in `ties`."""

    type: Literal["dare_ties"] = "dare_ties"
    density: Share = 0.5
    """Share of each update's elements that stays."""
    seed: Seed = 0
    """Of the random choice."""


class Magnitude(_Settings):
    """Only the largest elements of every update, then the weighted sum."""

    type: Literal["magnitude"] = "magnitude"
    density: Share = 0.5
    """Share of each update's elements that stays."""


Method = Annotated[
    Linear | Vector | Bai | Graft | Ties | Dare | DareTies | Magnitude, Field(discriminator="type")
]
CAN_BE_EXACT = ("linear", "vector", "bai")
METHODS = ("linear", "vector", "bai", "graft", "ties", "dare", "dare_ties", "magnitude")

_RANK_DIGITS = 9
_METHOD: TypeAdapter[Method] = TypeAdapter(Method)


def method_of(name: str, **settings: float | int | None) -> Method:
    """Settings of a method by name; settings that are None are left to their defaults.

    Raises:
        UsageError: no such method, a setting that it has not, or a value out of range.
    """
    given: dict[str, JsonValue] = {k: v for k, v in settings.items() if v is not None}
    try:
        return _METHOD.validate_python({"type": name, **given})
    except ValidationError as err:
        faults = "; ".join(_fault(name, e["loc"], e["msg"]) for e in err.errors())
        raise UsageError(f"{faults}; methods are {', '.join(METHODS)}") from err


def kind_of(method: Method) -> CardKind:
    """The kind of the result's card."""
    if isinstance(method, Vector):
        return "vector"
    return "graft" if isinstance(method, Graft) else "composed"


def effective_weights(method: Method, weights: Sequence[float]) -> list[float]:
    """What every term counts in the result, for its card; where masks act, what was asked for."""
    return [0.5 * method.a * w for w in weights] if isinstance(method, Bai) else [*weights]


def default_rank(method: Method, ranks: Sequence[int], *, limit: int) -> Rank:
    """Where no rank is asked for: exact, or the terms' ranks together for what has full rank."""
    if isinstance(method, Ties | Dare | DareTies | Magnitude):
        return min(sum(ranks), limit)
    return "exact"


def parse_rank(text: str | None) -> Rank | None:
    """What a person writes: exact, auto, or a number; None stays None.

    Raises:
        UsageError: anything else.
    """
    if text is None:
        return None
    if text == "exact":
        return "exact"
    if text == "auto":
        return Energy(AUTO_SHARE)
    if not text.isascii() or not text.isdigit() or len(text) > _RANK_DIGITS or int(text) < 1:
        raise UsageError(f"--rank {text}: expected exact, auto, or a number from 1 on")
    return int(text)


def rank_document(rank: Rank) -> JsonValue:
    """A rank as JSON: a number, "exact", or {"energy": share}."""
    return {"energy": rank.share} if isinstance(rank, Energy) else rank


def _fault(name: str, place: tuple[int | str, ...], message: str) -> str:
    where = [str(part) for part in place if part != name]
    if not where:
        return f"--method {name}: there is no such method"
    if message.startswith("Extra inputs"):
        return f"--{where[-1]} means nothing to --method {name}"
    return f"--{where[-1]}: {message}"
