"""What the world says: the room, a place, an action that worked, one that did not. Pure.

Owns the wording of observations: one wording each, short, every word one token of the base.
"""

from .nouns import FIXTURES, is_storage, kind_of
from .state import HAND, Room, State

NOTHING = "nothing happens."
"""The answer to an action that is impossible here and now. It gives no reason."""


def overview(room: Room) -> str:
    """The places of the room."""
    return f"you see {', '.join(room.places)}."


def sight(room: Room, state: State) -> str:
    """What one sees where one stands."""
    if state.at is None:
        return overview(room)
    if not is_storage(state.at):
        verb = FIXTURES[kind_of(state.at)]
        return f"you can use {state.at}." if verb == "use" else f"you can {verb} here."
    if not state.can_reach_into(state.at):
        return "it is closed."
    return f"you see {_listed(room, state, state.at)}."


def inventory(room: Room, state: State) -> str:
    """What one carries."""
    return f"you are holding {_listed(room, state, HAND)}."


def situation(room: Room, state: State) -> str:
    """Where one stands, what one sees there and what one carries; blank before the first action."""
    parts = [f"you are at {state.at}. {sight(room, state)}"] if state.at else []
    return " ".join([*parts, *([inventory(room, state)] if state.held else [])])


def reply(room: Room, action: str, after: State) -> str:
    """The answer to an action that changed the state to `after`."""
    verb = action.split(" ")[0]
    if verb == "go":
        return f"you are at {after.at}. {sight(room, after)}"
    if verb == "open":
        return f"you {action}. {sight(room, after)}"
    return f"you {action}."


def answer(room: Room, query: str, state: State) -> str:
    """The answer to one of `state.queries`."""
    if query == "look":
        return overview(room)
    if query == "inventory":
        return inventory(room, state)
    name = query.removeprefix("examine ")
    if name == state.at:
        return sight(room, state)
    index = next(index for index in state.held if room.things[index] == name)
    traits = sorted(trait for trait in state.traits[index] if not trait.startswith("seen"))
    return f"it is {' and '.join(traits)}." if traits else f"it is {name}."


def _listed(room: Room, state: State, place: str) -> str:
    return ", ".join(room.things[index] for index in state.holds(place)) or "nothing"
