"""The rules of the rooms."""

import dataclasses
import random

import pytest
from skillweave.distill.worlds.household import state as rules
from skillweave.distill.worlds.household.state import (
    HAND,
    State,
    done,
    fold,
    moves,
    queries,
)

from .chores import PLACES, ROOM, START, sample_tasks, stroll


def after(*actions: str, state: State = START) -> State:
    for action in actions:
        state = done(ROOM, state, action)
    return state


def test_at_the_start_one_can_only_go_somewhere() -> None:
    assert tuple(moves(ROOM, START)) == tuple(f"go to {place}" for place in PLACES)
    assert queries(ROOM, START) == ("look", "inventory")


def test_what_is_shut_must_be_opened_before_taking() -> None:
    there = after("go to drawer 1")
    assert "take cup from drawer 1" not in moves(ROOM, there)
    assert "close drawer 1" not in moves(ROOM, there)
    opened = after("open drawer 1", state=there)
    assert opened.opened == {"drawer 1"}
    assert after("take cup from drawer 1", state=opened).held == (0,)
    assert after("close drawer 1", state=opened) == there


def test_two_hands_hold_two_things() -> None:
    full = after(
        "go to drawer 1", "open drawer 1", "take cup from drawer 1", "take cup from drawer 1"
    )
    assert full.held == (0, 2)
    shelf = after("go to shelf 2", state=full)
    assert "take pen from shelf 2" not in moves(ROOM, shelf)
    free = after("put cup in shelf 2", state=shelf)
    assert free.where == ("shelf 2", "shelf 2", HAND, "desk 1")
    assert after("take pen from shelf 2", state=free).held == (1, 2)


def test_fixtures_leave_traits_and_heat_drives_out_cold() -> None:
    pen = after("go to shelf 2", "take pen from shelf 2")
    washed = after("go to sink 1", "clean pen with sink 1", state=pen)
    cold = after("go to fridge 1", "cool pen with fridge 1", state=washed)
    hot = after("go to microwave 2", "heat pen with microwave 2", state=cold)
    assert (washed.traits[1], cold.traits[1], hot.traits[1]) == (
        {"clean"},
        {"clean", "cold"},
        {"clean", "hot"},
    )
    assert "heat pen with microwave 2" not in moves(ROOM, hot)
    seen = after("go to lamp 3", "use lamp 3", state=hot)
    assert seen.traits[1] == {"clean", "hot", "seen lamp 3"}
    assert "use lamp 3" not in moves(ROOM, seen)


@pytest.mark.parametrize(
    "action",
    [
        "clean pen with fridge 1",
        "clean pen with sink 1",
        "use lamp 3",
        "take key from desk 1",
        "take pen from drawer 1",
        "put pen in shelf 2",
        "open shelf 2",
        "go to shelf 2",
        "go to moon",
        "GO TO desk 1",
        "go to desk 1.",
    ],
)
def test_what_is_impossible_here_is_no_move(action: str) -> None:
    assert action not in moves(ROOM, after("go to shelf 2"))


def test_every_move_changes_the_state_and_no_query_is_a_move() -> None:
    rng = random.Random(0)
    for task in sample_tasks(6):
        room = task.start.room
        state = task.start.state
        for _ in range(25):
            possible = moves(room, state)
            assert all(there != state for there in possible.values())
            assert not set(queries(room, state)) & set(possible)
            assert all(rules.after(room, state, move) == possible[move] for move in possible)
            assert not any(rules.after(room, state, query) for query in queries(room, state))
            assert len({there.digest for there in possible.values()} - {state.digest}) == len(
                set(possible.values())
            )
            state = rng.choice(list(possible.values()))


def test_nothing_is_lost_on_any_way() -> None:
    state = stroll(ROOM, START, random.Random(3), steps=300)
    assert len(state.where) == len(state.traits) == 4
    assert set(state.where) <= {*PLACES, HAND}
    assert not {"sink 1", "fridge 1", "lamp 3", "microwave 2"} & set(state.where)


def test_a_digest_tells_states_apart_and_not_the_order_of_sets() -> None:
    one = dataclasses.replace(START, opened=frozenset({"drawer 1", "safe 1"}))
    two = dataclasses.replace(START, opened=frozenset({"safe 1", "drawer 1"}))
    assert one.digest == two.digest != START.digest


def test_white_space_is_folded_and_long_texts_are_not_looked_at() -> None:
    assert fold("  go \t to\ndesk 1 ") == "go to desk 1"
    assert fold("go to desk 1" + " " * 60) == ""
