"""Goals, and the planner from every state that one can get into."""

import random
from collections import deque

import pytest
from skillweave.distill.worlds.household import SHAPES, Shape
from skillweave.distill.worlds.household.goals import Goal, next_action, plan
from skillweave.distill.worlds.household.state import Room, State, moves

from .chores import GOALS, ROOM, START, sample_tasks, stroll

PLANS: dict[Shape, str] = {
    "place": """
        go to shelf 2, take pen from shelf 2, go to drawer 1, open drawer 1, put pen in drawer 1""",
    "look": """
        go to drawer 1, open drawer 1, take cup from drawer 1, go to lamp 3, use lamp 3""",
    "clean": """
        go to shelf 2, take pen from shelf 2, go to sink 1, clean pen with sink 1,
        go to desk 1, put pen in desk 1""",
    "heat": """
        go to drawer 1, open drawer 1, take cup from drawer 1, go to microwave 2,
        heat cup with microwave 2, go to shelf 2, put cup in shelf 2""",
    "cool": """
        go to drawer 1, open drawer 1, take cup from drawer 1, go to fridge 1,
        cool cup with fridge 1, go to drawer 1, put cup in drawer 1""",
    "two": """
        go to drawer 1, open drawer 1, take cup from drawer 1, take cup from drawer 1,
        go to shelf 2, put cup in shelf 2, put cup in shelf 2""",
}  # fmt: skip


def actions(text: str) -> list[str]:
    return [" ".join(action.split()) for action in text.split(",")]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_plan_of_each_shape(shape: Shape) -> None:
    assert plan(ROOM, START, GOALS[shape]) == actions(PLANS[shape])
    assert GOALS[shape].shape == shape


def test_a_goal_holds_only_with_thing_trait_and_place() -> None:
    goal = GOALS["clean"]
    state = START
    for action in actions(PLANS["clean"]):
        assert not goal.holds(ROOM, state)
        state = moves(ROOM, state)[action]
    assert goal.holds(ROOM, state)
    assert next_action(ROOM, state, goal) is None
    back = moves(ROOM, state)["take pen from desk 1"]
    assert not goal.holds(ROOM, back)
    assert plan(ROOM, back, goal) == ["put pen in desk 1"]


def test_one_of_two_is_not_two() -> None:
    state = START
    for action in actions(PLANS["two"])[:-1]:
        state = moves(ROOM, state)[action]
        assert not GOALS["two"].holds(ROOM, state)


def test_the_other_lamp_does_not_count() -> None:
    goal = Goal("pen", 1, "lamp 1")
    room = Room((*ROOM.places, "lamp 1"), ROOM.things)
    state = START
    for action in actions("go to shelf 2, take pen from shelf 2, go to lamp 3, use lamp 3"):
        state = moves(room, state)[action]
    assert plan(room, state, goal) == ["go to lamp 1", "use lamp 1"]


def test_what_was_heated_by_mistake_is_cooled_again() -> None:
    state = START
    for action in actions("""go to drawer 1, open drawer 1, take cup from drawer 1,
        go to fridge 1, cool cup with fridge 1, go to microwave 2, heat cup with microwave 2"""):
        state = moves(ROOM, state)[action]
    assert plan(ROOM, state, GOALS["cool"])[:2] == ["go to fridge 1", "cool cup with fridge 1"]


def test_full_hands_are_emptied_where_the_thing_is() -> None:
    state = START
    for action in actions("""go to drawer 1, open drawer 1, take cup from drawer 1,
        take cup from drawer 1, go to shelf 2"""):
        state = moves(ROOM, state)[action]
    assert plan(ROOM, state, GOALS["clean"])[:2] == ["put cup in shelf 2", "take pen from shelf 2"]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_planner_gets_there_from_wherever_one_strayed(shape: Shape) -> None:
    rng = random.Random(shape)
    for _ in range(25):
        state = stroll(ROOM, START, rng, steps=rng.randint(1, 30))
        for action in plan(ROOM, state, GOALS[shape], limit=14):
            state = moves(ROOM, state)[action]
        assert GOALS[shape].holds(ROOM, state)


def shortest(room: Room, state: State, goal: Goal, *, limit: int) -> int:
    """Length of the shortest plan, by trying everything in order of length."""
    seen = {state}
    queue = deque([(state, 0)])
    while queue:
        state, length = queue.popleft()
        if goal.holds(room, state):
            return length
        if length < limit:
            fresh = [s for s in moves(room, state).values() if s not in seen]
            seen.update(fresh)
            queue.extend((s, length + 1) for s in fresh)
    return limit + 1


@pytest.mark.parametrize("shape", ["place", "look", "clean", "heat"])
def test_nothing_shorter_than_the_plan_leads_there(shape: Shape) -> None:
    """In a room of four places and two things, where all states can be tried."""
    goal = GOALS[shape]
    places = tuple(p for p in ROOM.places if p in ("drawer 1", "shelf 2", goal.fixture, goal.place))
    room = Room(places, ("cup", "pen"))
    start = State(None, frozenset(), START.where[:2], START.traits[:2])
    rng = random.Random(shape)
    for steps in (0, 0, 2, 4, 8):
        state = stroll(room, start, rng, steps=steps)
        length = len(plan(room, state, goal))
        best = shortest(room, state, goal, limit=length)
        assert best == length if steps == 0 else best >= length - 2


def test_drawn_plans_have_as_many_actions_as_their_level_says() -> None:
    bounds = {1: (3, 5), 2: (4, 6), 3: (5, 8)}
    for index, task in enumerate(sample_tasks(30)):
        low, high = bounds[1 + index % 3]
        assert low <= len(task.expert_plan) <= high


def test_a_plan_that_is_too_long_says_so() -> None:
    with pytest.raises(RuntimeError, match=r"does not reach Goal\(thing='cup'"):
        plan(ROOM, START, GOALS["two"], limit=3)
