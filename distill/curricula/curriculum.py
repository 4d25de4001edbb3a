"""What every curriculum is: a value that is told what was seen and says what comes next. Pure.

Owns the protocol, the base of the values that meet it, and what a sampler of tasks is told. Refuses
to own any rule (one file each) and tasks themselves: a sampler of tasks names *categories* (a
level, a world, or both: whatever string the recipe gives its tasks), a withdrawal names texts, a
schedule of prefixes gives shares. To add one: a frozen `CurriculumValue` with `type`, the fields
that move named in `moving`, `observe` and `next`.

Resume: `state()` is JSON and holds all that a value holds; with the generator's own state
(`rng.bit_generator.state` is JSON too) a run goes on exactly as if it had never stopped.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol, Self, TypeVar

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from ...adapters.errors import UsageError

Seen = TypeVar("Seen", contravariant=True)
Choice = TypeVar("Choice", covariant=True)


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names, if there are any and each stands once.

    Raises:
        ValueError: none, or one twice.
    """
    if not names or len(set(names)) != len(names):
        raise ValueError(f"names {names}: expected at least one, each of them once")
    return names


Categories = Annotated[tuple[str, ...], AfterValidator(_each_once)]
"""At least one name, each once."""


@dataclass(frozen=True, slots=True)
class GroupSeen:
    """The answers to one task at one step, as a sampler of tasks is told of them.

    `rewards` are the raw ones of every answer, also of a group that the trainer dropped because
    all of its rewards are equal: such a group says that its category teaches nothing now.

    Raises:
        UsageError: no reward, or one that is not finite.
    """

    category: str
    rewards: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.rewards or not all(map(math.isfinite, self.rewards)):
            raise UsageError(
                f"a group of {self.category!r} with rewards {self.rewards}: expected at least one, "
                "all of them finite"
            )


class Curriculum(Protocol[Seen, Choice]):
    """What a seam of the RL loop adapts: `Seen` is told, a `Choice` comes for each of `num`."""

    def observe(self, step: int, seen: Sequence[Seen]) -> Self:
        """The value after what was seen at `step`; the value itself does not change."""
        ...

    def next(self, step: int, *, rng: np.random.Generator, num: int) -> tuple[Choice, ...]:
        """`num` choices for `step`; all chance comes from `rng`."""
        ...

    def state(self) -> Mapping[str, object]:
        """All of the value, as JSON."""
        ...

    def restored(self, state: Mapping[str, object]) -> Self:
        """The value that `state` was taken from."""
        ...


class CategoryCurriculum(Curriculum[GroupSeen, str], Protocol):
    """A curriculum for the seam of tasks: the choices are categories."""

    def weights(self, step: int) -> Mapping[str, float]:
        """The probability of each category at `step`; they sum to 1."""
        ...


class CurriculumValue(BaseModel):
    """Base of the values: frozen, no unknown field, no NaN; state and resume in one place."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )
    moving: ClassVar[frozenset[str]] = frozenset()
    """The fields that `observe` changes; all others are settings."""

    def state(self) -> dict[str, object]:
        """Settings and moving fields as JSON; floats come back bit by bit."""
        return self.model_dump(mode="json")

    def restored(self, state: Mapping[str, object]) -> Self:
        """The value that `state` was taken from.

        Raises:
            UsageError: it is no such state, or its settings are not those of this value.
        """
        try:
            found = type(self).model_validate_json(json.dumps(state), strict=True)
        except ValidationError as err:
            raise UsageError(
                f"a state that is none of {type(self).__name__}: {err}; resume with the curriculum "
                "that wrote it"
            ) from err
        mine, theirs = self.state(), found.state()
        for name in sorted(mine.keys() - self.moving):
            if mine[name] != theirs[name]:
                raise UsageError(
                    f"{name} is {mine[name]!r} here and {theirs[name]!r} in the state: resume with "
                    "the settings of the run, or begin a new one"
                )
        return found


def draw_categories(
    weights: Mapping[str, float], num: int, *, rng: np.random.Generator
) -> tuple[str, ...]:
    """So many categories, each drawn on its own by weight, as SEC fills the slots of a batch.

    Args:
        weights: finite, from 0, at least one above 0; they need not sum to 1.

    Raises:
        UsageError: they do not.
    """
    total = math.fsum(weights.values())
    if min(weights.values(), default=-1.0) < 0 or not 0 < total < math.inf:
        raise UsageError(f"weights {dict(weights)}: expected finite ones from 0, one above 0")
    names = list(weights)
    places = rng.choice(len(names), size=num, p=[weights[name] / total for name in names])
    return tuple(names[place] for place in places)


def known_categories(names: Iterable[str], categories: Sequence[str]) -> None:
    """Nothing, if every name is one of the categories.

    Raises:
        UsageError: one is not.
    """
    if odd := sorted(set(names) - set(categories)):
        raise UsageError(f"{odd[0]!r} was seen, expected one of {', '.join(categories)}")
