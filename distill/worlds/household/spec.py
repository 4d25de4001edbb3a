"""A skill of the household as a value: what is where, what is done with it, where it goes. Pure."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self, get_args

from ..string_skills.topics import TOPICS
from .goals import Goal
from .nouns import FIXTURES_OF, STORAGE, THINGS, places_of, shuts

Shape = Literal["place", "look", "clean", "heat", "cool", "two"]
SHAPES: tuple[Shape, ...] = get_args(Shape)
VERB_OF = {"look": "use", "clean": "clean", "heat": "heat", "cool": "cool"}
"""The verb of the fixture that a shape needs; the other shapes need none."""

LEVELS = (1, 2, 3)
_STORAGE_PLACES = places_of(STORAGE)
_FIXTURE_PLACES: dict[Shape, tuple[str | None, ...]] = {
    shape: places_of(FIXTURES_OF[VERB_OF[shape]]) if shape in VERB_OF else (None,)
    for shape in SHAPES
}
_MOST_ACTIONS = {1: 5, 2: 6, 3: 8}


@dataclass(frozen=True)
class HouseholdSpec:
    """The knowledge behind a skill text.

    Args:
        shape: place; look at it under a lamp; clean, heat or cool and place; place two.
        homes: two things, each with the place where it is found.
        fixture: the lamp, or the fixture that cleans, heats or cools; None for place and two.
        place: where it goes; None for look.
        topic: the situation that triggers the skill.
    """

    shape: Shape
    homes: tuple[tuple[str, str], ...]
    fixture: str | None
    place: str | None
    topic: str

    def __post_init__(self) -> None:
        _expect(self.shape, "shape", SHAPES)
        _expect(self.topic, "topic", tuple(TOPICS))
        if len(self.homes) != 2 or any(len(home) != 2 for home in self.homes):
            raise ValueError(f"a skill has two pairs of thing and place, got {self.homes!r}")
        for thing, home in self.homes:
            _expect(thing, "thing", THINGS)
            _expect(home, "home", _STORAGE_PLACES)
        _expect(self.fixture, f"fixture of {self.shape!r}", _FIXTURE_PLACES[self.shape])
        to = (None,) if self.shape == "look" else _STORAGE_PLACES
        _expect(self.place, f"place of {self.shape!r}", to)
        things, homes = zip(*self.homes, strict=True)
        if len(set(things)) < 2 or len({*homes, self.place}) < 3:
            raise ValueError(
                f"two things and all places of a skill must differ, got {things!r} from {homes!r} "
                f"to {self.place!r}"
            )

    def goal(self, thing: str) -> Goal:
        """What a request for `thing` asks for.

        Raises:
            ValueError: the skill does not speak of it.
        """
        _expect(thing, "thing of this skill", tuple(dict(self.homes)))
        return Goal(thing, 2 if self.shape == "two" else 1, self.fixture, self.place)

    @property
    def most_actions(self) -> int:
        """Actions of the longest plan, with everything shut that can be: 4 to 8."""
        homes = max(shuts(home) for _, home in self.homes)
        to = self.place is not None and shuts(self.place)
        return (4 if self.shape in ("place", "look") else 6) + homes + to

    @property
    def level(self) -> int:
        """1 to 3: plans of up to 5, of 6, and of 7 or 8 actions."""
        return next(level for level in LEVELS if self.most_actions <= _MOST_ACTIONS[level])

    def to_json(self) -> str:
        """One line that `from_json` reads back; kept in a skill's metadata as its checker."""
        fields = ("shape", "homes", "fixture", "place", "topic")
        return json.dumps({field: getattr(self, field) for field in fields})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a checker back.

        Raises:
            ValueError: not JSON of that shape, or a word that this world lacks.
        """
        try:
            data = json.loads(text)
            homes = tuple(tuple(home) for home in data["homes"])
            return cls(data["shape"], homes, data["fixture"], data["place"], data["topic"])
        except (json.JSONDecodeError, KeyError, TypeError, RecursionError) as err:
            raise ValueError(f"checker {text[:200]!r} is not a household skill: {err}") from err

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.to_json().encode()).hexdigest()


def _expect(value: str | None, what: str, choices: Sequence[str | None]) -> None:
    if value not in choices:
        shown = ", ".join(map(str, choices[:8])) + (" ..." if len(choices) > 8 else "")
        raise ValueError(f"{what} {value!r} is unknown, expected one of {shown}")
