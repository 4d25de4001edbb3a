"""One small room for each shape, written by hand, and ways to walk through rooms."""

import functools
import random

from skillweave.distill.worlds.household import WORLD, HouseholdTask, Shape, Start
from skillweave.distill.worlds.household.goals import Goal
from skillweave.distill.worlds.household.state import Room, State, moves

PLACES = ("drawer 1", "shelf 2", "sink 1", "microwave 2", "fridge 1", "lamp 3", "desk 1")
ROOM = Room(PLACES, ("cup", "pen", "cup", "key"))
START = State(
    None, frozenset(), ("drawer 1", "shelf 2", "drawer 1", "desk 1"), (frozenset[str](),) * 4
)

GOALS: dict[Shape, Goal] = {
    "place": Goal("pen", 1, None, "drawer 1"),
    "look": Goal("cup", 1, "lamp 3", None),
    "clean": Goal("pen", 1, "sink 1", "desk 1"),
    "heat": Goal("cup", 1, "microwave 2", "shelf 2"),
    "cool": Goal("cup", 1, "fridge 1", "drawer 1"),
    "two": Goal("cup", 2, None, "shelf 2"),
}


def start(shape: Shape) -> Start:
    return Start(ROOM, START, GOALS[shape], "please.")


def sample_tasks(num: int) -> list[HouseholdTask]:
    """One task each of `num` skills, the levels in turn."""
    return [_task(seed) for seed in range(num)]


@functools.cache
def _task(seed: int) -> HouseholdTask:
    return WORLD.tasks(WORLD.skill(1 + seed % 3, seed=seed), "test", 1, seed=seed)[0]


def stroll(room: Room, state: State, rng: random.Random, *, steps: int) -> State:
    """A state that random moves reach."""
    for _ in range(steps):
        state = rng.choice(list(moves(room, state).values()))
    return state
