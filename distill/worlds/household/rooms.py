"""Draws skills and the rooms of their episodes from a generator that the caller passes.

A room always holds the places that the skill names, and others that it does not, so that nothing
but the text tells them apart.
"""

import random
from collections.abc import Callable

from ..string_skills.topics import TOPICS
from .nouns import FIXTURES_OF, NUMBERS, PLACES, STORAGE, THINGS, shuts
from .spec import LEVELS, SHAPES, VERB_OF, HouseholdSpec
from .split import is_held_out, is_open
from .state import Room, State

NUM_STORAGE = 5
NUM_FIXTURES = 2
_LOOK_WEIGHT = 1 / 3
"""Look skills are rarer: all that their room leaves open is where the thing is and which lamp."""

NUM_OTHERS = (2, 3)
"""Things that no skill speaks of."""

OPENED_SHARE = 0.25
"""How often a place that shuts is open at the start."""

_CLASHING = {word for place in PLACES for word in place.split()} | {*THINGS}
HOUSEHOLD_TOPICS = tuple(
    slug
    for slug, topic in TOPICS.items()
    if not {slug, *topic.told, *topic.untold} & (_CLASHING | {"towel", "kitchen"})
)
"""Topics none of whose words is also a word for something in a room."""

_DRAWS = 20_000


def open_spec(rng: random.Random, level: int) -> HouseholdSpec:
    """Draw a skill that a base may see."""
    return _draw_until(rng, level, is_open)


def held_out_spec(rng: random.Random, level: int) -> HouseholdSpec:
    """Draw a skill that no base has seen."""
    return _draw_until(rng, level, is_held_out)


def random_spec(rng: random.Random) -> HouseholdSpec:
    """Draw any skill."""
    shape = rng.choices(SHAPES, [_LOOK_WEIGHT if s == "look" else 1 for s in SHAPES])[0]
    kinds = STORAGE if rng.random() < 0.5 else tuple(filter(shuts, STORAGE))
    home_kinds = [rng.choice(kinds), rng.choice(kinds), rng.choice(STORAGE)]
    one, two, to = _distinct_places(home_kinds, rng)
    first, second = rng.sample(THINGS, 2)
    verb = VERB_OF.get(shape)
    fixture = f"{rng.choice(FIXTURES_OF[verb])} {rng.choice(NUMBERS)}" if verb else None
    place = None if shape == "look" else to
    topic = rng.choice(HOUSEHOLD_TOPICS)
    return HouseholdSpec(shape, ((first, one), (second, two)), fixture, place, topic)


def draw_room(spec: HouseholdSpec, thing: str, rng: random.Random) -> tuple[Room, State]:
    """The room of one episode for `thing`, and how it stands at the start."""
    named = [home for _, home in spec.homes] + ([spec.place] if spec.place else [])
    storage = _filled(named, NUM_STORAGE, rng, kinds=STORAGE)
    fixtures = _fixtures(spec, rng)
    places = rng.sample([*storage, *fixtures], len(storage) + len(fixtures))
    copies = 2 if spec.shape == "two" else 1
    lying = [
        (name, home) for name, home in spec.homes for _ in range(copies if name == thing else 1)
    ]
    known = dict(spec.homes)
    others = rng.sample([name for name in THINGS if name not in known], rng.choice(NUM_OTHERS))
    lying += [(name, rng.choice(storage)) for name in others]
    rng.shuffle(lying)
    opened = frozenset(p for p in storage if shuts(p) and rng.random() < OPENED_SHARE)
    room = Room(tuple(places), tuple(name for name, _ in lying))
    traits = (frozenset[str](),) * len(lying)
    return room, State(None, opened, tuple(where for _, where in lying), traits)


def _draw_until(
    rng: random.Random, level: int, wanted: Callable[[HouseholdSpec], bool]
) -> HouseholdSpec:
    if level not in LEVELS:
        raise ValueError(f"level {level} does not exist in the household, expected one of {LEVELS}")
    for _ in range(_DRAWS):
        spec = random_spec(rng)
        if spec.level == level and wanted(spec):
            return spec
    raise RuntimeError(f"no skill of level {level} in {_DRAWS} draws")


def _distinct_places(kinds: list[str], rng: random.Random) -> list[str]:
    out: list[str] = []
    for kind in kinds:
        out.append(rng.choice([f"{kind} {n}" for n in NUMBERS if f"{kind} {n}" not in out]))
    return out


def _fixtures(spec: HouseholdSpec, rng: random.Random) -> list[str]:
    """The skill's fixture and others. For look all are lamps; for half of the place rooms too, so
    that two lamps do not tell which it is."""
    fixtures = [spec.fixture] if spec.fixture else []
    lamps = spec.shape == "look" or (spec.shape == "place" and rng.random() < 0.5)
    while len(fixtures) < NUM_FIXTURES:
        verb = "use" if lamps else rng.choice(tuple(FIXTURES_OF))
        fixtures = _filled(fixtures, len(fixtures) + 1, rng, kinds=FIXTURES_OF[verb])
    return fixtures


def _filled(
    named: list[str], count: int, rng: random.Random, *, kinds: tuple[str, ...]
) -> list[str]:
    out = list(named)
    while len(out) < count:
        place = f"{rng.choice(kinds)} {rng.choice(NUMBERS)}"
        if place not in out:
            out.append(place)
    return out
