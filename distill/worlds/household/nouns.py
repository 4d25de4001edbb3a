"""What stands in the rooms: places that hold things, fixtures that do something, things. Pure.

Owns the words and what each kind of place can do. Every word is one token of the shipped base's
tokenizer. To add a kind, add it to its table; the held-out rule, the rooms, the texts and the
verifiers follow.
"""

OPEN_STORAGE = ("shelf", "counter", "table", "desk", "dresser", "sofa", "bed", "cart")
"""Kinds of places on which things lie in sight."""

SHUT_STORAGE = ("drawer", "cabinet", "safe", "box")
"""Kinds of places that must be open before one can see into them, take or put."""

STORAGE = (*OPEN_STORAGE, *SHUT_STORAGE)

FIXTURES = {
    "sink": "clean", "basin": "clean", "bathtub": "clean",
    "microwave": "heat", "stove": "heat", "toaster": "heat",
    "fridge": "cool",
    "lamp": "use", "desklamp": "use",
}  # fmt: skip
"""Kinds of places that hold nothing, each with the verb that works there."""

FIXTURES_OF = {
    verb: tuple(kind for kind, does in FIXTURES.items() if does == verb)
    for verb in ("clean", "heat", "cool", "use")
}

NUMBERS = ("1", "2", "3")
"""A place is called by its kind and one of these, e.g. `drawer 2`."""

THINGS = tuple(
    """
    apple tomato potato egg bread lettuce butter mug cup plate bowl pan pot kettle bottle knife fork
    spoon spatula soap cloth sponge candle book pen pencil watch statue vase newspaper pillow laptop
    phone clock
    """.split()
)
"""What can be carried. Any of them may be cleaned, heated, cooled or looked at, so that a thing
says nothing about what is to be done with it."""


def kind_of(place: str) -> str:
    """`drawer 2` -> `drawer`."""
    return place.split(" ")[0]


def shuts(place: str) -> bool:
    """Whether the place must be open before one can use what is in it."""
    return kind_of(place) in SHUT_STORAGE


def is_storage(place: str) -> bool:
    """Whether the place holds things."""
    return kind_of(place) in STORAGE


def places_of(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Every place of the kinds, e.g. `shelf 1`, `shelf 2`, ..."""
    return tuple(f"{kind} {number}" for kind in kinds for number in NUMBERS)


PLACES = places_of((*STORAGE, *FIXTURES))
