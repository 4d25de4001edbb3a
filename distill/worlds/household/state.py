"""A room and its state as values, and what each action makes of a state. Pure.

Owns the rules of the world. An action is looked up among those that change the state here and now;
it is never parsed, so a text that is not one of them does nothing. Refuses to own goals and words.
To add an action, add its verb to `_GROUPS` and its reply to `replies.py`.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from .nouns import FIXTURES, is_storage, kind_of, shuts

HAND = "hand"
"""Where a thing is that is carried."""

HANDS = 2
"""How many things one can carry."""

MAX_ACTION_CHARS = 60
"""No action is longer; a longer text is not looked at."""


@dataclass(frozen=True)
class Room:
    """What does not change: the places, and the kind of each thing (its index is its identity)."""

    places: tuple[str, ...]
    things: tuple[str, ...]


@dataclass(frozen=True)
class State:
    """What changes. `where` and `traits` have one entry for each thing of the room.

    Traits are `clean`, `hot` or `cold`, and `seen <lamp>`.
    """

    at: str | None
    opened: frozenset[str]
    where: tuple[str, ...]
    traits: tuple[frozenset[str], ...]

    @property
    def held(self) -> tuple[int, ...]:
        """Indices of what is carried."""
        return self.holds(HAND)

    def holds(self, place: str) -> tuple[int, ...]:
        """Indices of the things at a place, whether one can see them or not."""
        return tuple(index for index, where in enumerate(self.where) if where == place)

    def can_reach_into(self, place: str) -> bool:
        """Whether things can be seen in it, taken from it and put into it."""
        return is_storage(place) and (not shuts(place) or place in self.opened)

    @property
    def digest(self) -> str:
        """A hash of all of it; equal states have equal ones."""
        traits = [sorted(each) for each in self.traits]
        text = json.dumps([self.at, sorted(self.opened), self.where, traits])
        return hashlib.sha256(text.encode()).hexdigest()


Moves = Iterator[tuple[str, State]]


def moves(room: Room, state: State) -> dict[str, State]:
    """Every action that changes the state, with the state after it.

    Of several things of a kind in one place the first is meant.
    """
    out: dict[str, State] = {}
    for group in dict.fromkeys(_GROUPS.values()):
        for action, there in group(room, state):
            if there != state:
                out.setdefault(action, there)
    return out


def after(room: Room, state: State, action: str) -> State | None:
    """`moves(room, state).get(action)`, without the others."""
    group = _GROUPS.get(action.split(" ")[0])
    there = group(room, state) if group else ()
    return next((each for name, each in there if name == action and each != state), None)


def done(room: Room, state: State, action: str) -> State:
    """The state after an action.

    Raises:
        ValueError: it is impossible here and now.
    """
    there = after(room, state, action)
    if there is None:
        raise ValueError(f"{action!r} is impossible here, expected one of {[*moves(room, state)]}")
    return there


def queries(room: Room, state: State) -> tuple[str, ...]:
    """Every action that is answered and changes nothing."""
    here = (f"examine {state.at}",) if state.at else ()
    held = dict.fromkeys(f"examine {room.things[index]}" for index in state.held)
    return ("look", "inventory", *here, *held)


def fold(action: str) -> str:
    """White space folded; blank where the text is longer than any action."""
    return " ".join(action.split()) if len(action) <= MAX_ACTION_CHARS else ""


def trait_of(verb: str, fixture: str) -> str:
    """What a fixture's verb leaves on a thing, e.g. `cold`, or `seen lamp 2`."""
    return {"clean": "clean", "heat": "hot", "cool": "cold"}.get(verb, f"seen {fixture}")


def _move(state: State, thing: int, to: str) -> State:
    return replace(state, where=(*state.where[:thing], to, *state.where[thing + 1 :]))


def _with_trait(state: State, thing: int, trait: str) -> State:
    lost = {"hot", "cold"} if trait in ("hot", "cold") else set()
    new = (state.traits[thing] - lost) | {trait}
    return replace(state, traits=(*state.traits[:thing], new, *state.traits[thing + 1 :]))


def _goings(room: Room, state: State) -> Moves:
    for place in room.places:
        yield f"go to {place}", State(place, state.opened, state.where, state.traits)


def _doors(room: Room, state: State) -> Moves:
    if state.at and shuts(state.at):
        yield f"open {state.at}", replace(state, opened=state.opened | {state.at})
        yield f"close {state.at}", replace(state, opened=state.opened - {state.at})


def _hands(room: Room, state: State) -> Moves:
    here = state.at
    if here is None or not state.can_reach_into(here):
        return
    if len(state.held) < HANDS:
        for thing in state.holds(here):
            yield f"take {room.things[thing]} from {here}", _move(state, thing, HAND)
    for thing in state.held:
        yield f"put {room.things[thing]} in {here}", _move(state, thing, here)


def _fixtures(room: Room, state: State) -> Moves:
    verb = FIXTURES.get(kind_of(state.at)) if state.at else None
    if state.at is None or verb is None:
        return
    trait = trait_of(verb, state.at)
    if verb == "use":
        there = state
        for thing in state.held:
            there = _with_trait(there, thing, trait)
        yield f"use {state.at}", there
        return
    for thing in state.held:
        yield f"{verb} {room.things[thing]} with {state.at}", _with_trait(state, thing, trait)


_GROUPS = {
    "go": _goings,
    "open": _doors, "close": _doors,
    "take": _hands, "put": _hands,
    "clean": _fixtures, "heat": _fixtures, "cool": _fixtures, "use": _fixtures,
}  # fmt: skip
