"""Categories hold every predicate once; judged sets are held out and seldom met by chance."""

import random

import pytest
from skillweave.distill.worlds.constraints import Constraint, ConstraintSpec, is_held_out
from skillweave.distill.worlds.constraints.mixing import (
    CATEGORIES,
    MOST_CHANCE,
    categories_of,
    chance,
    judged_set,
    key_of,
    kinds_of,
    majority_answer,
    passes_with,
    plain_task,
    practice_set,
)
from skillweave.distill.worlds.constraints.predicates import PREDICATES, phrase

EVERY = kinds_of([*CATEGORIES])
HELD_OUT = CATEGORIES["repetition"]
SEEN = kinds_of([name for name in CATEGORIES if name != "repetition"])


def practice(*rows: tuple[str, ...]) -> ConstraintSpec:
    constraints = tuple(Constraint(row[0], tuple(row[1:])) for row in rows)
    return ConstraintSpec(constraints, "farm", practice=True)


def test_every_predicate_stands_in_one_category() -> None:
    assert sorted(EVERY) == sorted(PREDICATES)
    assert len(CATEGORIES) == 5
    assert categories_of(practice(("parity", "odd"), ("ends", "k"), ("starts", "b"))) == (
        "positional",
        "counting",
    )
    assert kinds_of(["counting", "positional"]) == ("starts", "ends", "place", "count", "parity")


def test_chance_is_what_counting_by_hand_gives() -> None:
    """Lengths are 3 to 8, equally often, and every place takes each of eight letters."""
    assert chance(practice(("parity", "odd")), num_draws=2000) == pytest.approx(3 / 6, abs=0.04)
    assert chance(practice(("count", "4")), num_draws=2000) == pytest.approx(1 / 6, abs=0.04)
    assert chance(practice(("starts", "k")), num_draws=2000) == pytest.approx(1 / 8, abs=0.04)
    avoided = sum((7 / 8) ** length for length in range(3, 9)) / 6
    assert chance(practice(("avoids", "k")), num_draws=2000) == pytest.approx(avoided, abs=0.04)
    assert chance(practice(("parity", "odd"))) == chance(practice(("parity", "odd")))


def test_judged_sets_are_held_out_and_no_gift() -> None:
    rng = random.Random(0)
    for size in (3, 4, 5):
        for _ in range(6):
            spec = judged_set(rng, size, kinds=SEEN)
            assert is_held_out(spec)
            assert len(spec.constraints) == size
            assert chance(spec) <= MOST_CHANCE
            assert {row.kind for row in spec.constraints} <= {*SEEN}


def test_a_judged_set_has_what_it_needs_and_is_none_that_is_taken() -> None:
    rng = random.Random(1)
    for _ in range(6):
        spec = judged_set(rng, 4, kinds=EVERY, need=HELD_OUT)
        assert "repetition" in categories_of(spec)
    drawn = practice_set(random.Random(2), 3, kinds=SEEN)
    other = practice_set(random.Random(2), 3, kinds=SEEN, taken={key_of(drawn)})
    assert key_of(other) != key_of(drawn)


def test_a_set_without_a_strong_kind_is_never_judged() -> None:
    with pytest.raises(ValueError, match="no set of 2 constraints was found among count, contains"):
        judged_set(random.Random(0), 2, kinds=("count", "contains"))
    with pytest.raises(ValueError, match="3 constraints of 2 kinds"):
        practice_set(random.Random(0), 3, kinds=("count", "contains"))


def test_practice_shows_every_kind_alone_and_is_no_checker() -> None:
    rng = random.Random(3)
    drawn = [practice_set(rng, 1, kinds=EVERY) for _ in range(120)]
    assert {row.kind for spec in drawn for row in spec.constraints} == {*EVERY}
    with pytest.raises(ValueError, match="chance would satisfy it"):
        ConstraintSpec.from_json(practice(("parity", "odd")).to_json())


def test_a_plain_request_states_every_constraint_and_its_expert_is_right() -> None:
    rng = random.Random(4)
    for size in (1, 2, 3):
        for _ in range(10):
            spec = practice_set(rng, size, kinds=EVERY)
            task = plain_task(spec, rng, family="mix", split="test")
            assert task.verify(task.worked).passed
            for row in spec.constraints:
                said = {
                    phrase(row.kind, row.params, wording, digits=digits)
                    for wording in range(12)
                    for digits in (False, True)
                }
                assert any(text in task.request for text in said)


def test_the_majority_answer_is_the_places_that_experts_use_most() -> None:
    rng = random.Random(5)
    four = practice(("count", "4"))
    shown = [plain_task(four, rng, family="mix", split="train") for _ in range(3)]
    odd_one = plain_task(practice(("count", "6")), rng, family="mix", split="train")
    places = majority_answer([odd_one, *shown])
    assert places == (0, 1, 2, 3)  # the solver takes the letters in the order of the request
    assert all(passes_with(places, task) for task in shown)
    assert not passes_with(places, odd_one)
    assert majority_answer([odd_one]) == (0, 1, 2, 3, 4, 5)
