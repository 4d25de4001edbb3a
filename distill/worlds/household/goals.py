"""What an episode asks for, and an expert that gets there from any state. Pure.

Owns goals and the planner. Refuses to own skills and words. The planner does one thing after the
other and never searches: it fetches what the goal needs, treats it, brings it. From the start of a
drawn room its plans are as short as any; from a spoiled state they may be a few actions longer.
"""

from dataclasses import dataclass

from .nouns import FIXTURES, kind_of, shuts
from .state import HAND, HANDS, Room, State, done, trait_of


@dataclass(frozen=True)
class Goal:
    """`count` things of a kind that carry the fixture's trait and lie in `place`.

    Without a fixture no trait is asked for; without a place they may be anywhere.
    """

    thing: str
    count: int = 1
    fixture: str | None = None
    place: str | None = None

    @property
    def trait(self) -> str | None:
        if self.fixture is None:
            return None
        return trait_of(FIXTURES[kind_of(self.fixture)], self.fixture)

    @property
    def shape(self) -> str:
        """place, look, clean, heat, cool or two."""
        if self.fixture is not None:
            verb = FIXTURES[kind_of(self.fixture)]
            return "look" if verb == "use" else verb
        return "two" if self.count == 2 else "place"

    def treated(self, state: State, index: int) -> bool:
        """Whether one thing carries the trait."""
        return self.trait is None or self.trait in state.traits[index]

    def reached_by(self, state: State, index: int) -> bool:
        """Whether one thing is as it should be, where it should be."""
        there = self.place is None or state.where[index] == self.place
        return there and self.treated(state, index)

    def holds(self, room: Room, state: State) -> bool:
        """Whether enough things are."""
        kinds = enumerate(room.things)
        mine = [index for index, kind in kinds if kind == self.thing]
        return sum(self.reached_by(state, index) for index in mine) >= self.count


def next_action(room: Room, state: State, goal: Goal) -> str | None:
    """The expert's action; None where the goal holds."""
    if goal.holds(room, state):
        return None
    mine = [index for index, kind in enumerate(room.things) if kind == goal.thing]
    done = [index for index in mine if goal.reached_by(state, index)]
    nearness = {HAND: 0, state.at: 1}
    left = sorted(set(mine) - set(done), key=lambda index: nearness.get(state.where[index], 2))
    wanted = left[: goal.count - len(done)]
    loose = [index for index in wanted if state.where[index] != HAND]
    if loose:
        return _fetch(room, state, loose[0], keep=wanted)
    if not all(goal.treated(state, index) for index in wanted):
        return _treat(state, goal)
    assert goal.place is not None  # else a treated thing in the hand would be the goal
    return _at(state, goal.place) or f"put {goal.thing} in {goal.place}"


def plan(room: Room, state: State, goal: Goal, *, limit: int = 40) -> list[str]:
    """The expert's actions from here to the goal.

    Raises:
        RuntimeError: more than `limit` of them, which no reachable state needs.
    """
    actions: list[str] = []
    while (action := next_action(room, state, goal)) is not None:
        if len(actions) == limit:
            raise RuntimeError(f"the plan {actions[:8]} ... does not reach {goal} in {limit}")
        actions.append(action)
        state = done(room, state, action)
    return actions


def _at(state: State, place: str) -> str | None:
    """What is still to do until one can reach into `place`."""
    if state.at != place:
        return f"go to {place}"
    return f"open {place}" if shuts(place) and place not in state.opened else None


def _fetch(room: Room, state: State, thing: int, *, keep: list[int]) -> str:
    place = state.where[thing]
    action = _at(state, place)
    if action is not None:
        return action
    if len(state.held) == HANDS:
        spare = next(index for index in state.held if index not in keep)
        return f"put {room.things[spare]} in {place}"
    return f"take {room.things[thing]} from {place}"


def _treat(state: State, goal: Goal) -> str:
    assert goal.fixture is not None
    verb = FIXTURES[kind_of(goal.fixture)]
    if state.at != goal.fixture:
        return f"go to {goal.fixture}"
    return f"use {goal.fixture}" if verb == "use" else f"{verb} {goal.thing} with {goal.fixture}"
