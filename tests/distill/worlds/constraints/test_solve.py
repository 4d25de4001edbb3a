"""The expert finds lists that satisfy everything, in a manner that can be learned."""

import itertools
import random

import pytest
from skillweave.distill.worlds.constraints import Constraint, ConstraintSpec
from skillweave.distill.worlds.constraints.draw import draw_spec, letters_for, solved_letters
from skillweave.distill.worlds.constraints.solve import solve

LETTERS = tuple("dnmkrcgp")


def spec_of(*rows: str) -> ConstraintSpec:
    return ConstraintSpec(
        tuple(Constraint(row.split()[0], tuple(row.split()[1:])) for row in rows), "farm"
    )


@pytest.mark.parametrize(
    ("rows", "answer"),
    [
        (["starts k"], "k d n m"),
        (["ends k", "count 3"], "d n k"),
        (["place 2 k", "contains g", "parity odd"], "g k d n m"),
        (["starts k", "before r c"], "k r c d"),
        (["place 5 k", "avoids d"], "n m r c k"),
        (["starts k", "sorted up"], "k m n p"),
        (["ends c", "twice g"], "g g d c"),
        (["ends k", "follows r m", "unique", "count 5"], "r m d n k"),
    ],
)
def test_wanted_letters_come_first_then_the_request_in_its_order(
    rows: list[str], answer: str
) -> None:
    assert solve(spec_of(*rows).constraints, LETTERS) == tuple(answer.split())


def test_a_drawn_skill_is_satisfied_by_its_expert_and_not_by_one_list_alone() -> None:
    rng = random.Random(0)
    for index in range(50):
        spec = draw_spec(rng, 1 + index % 5, held_out=bool(index % 2))
        letters, answer = solved_letters(spec, rng)
        assert spec.broken(answer) == ()
        assert {*answer} <= {*letters}
        assert {*spec.symbols} <= {*letters}
        assert len(letters) == len({*letters}) == 8


def test_the_search_gives_up_only_where_no_list_exists() -> None:
    rng = random.Random(1)
    unsolved = 0
    while unsolved < 5:
        spec = spec_of(f"starts {rng.choice('qrst')}", "sorted up", "unique", "count 4")
        letters = letters_for(spec, rng)
        if solve(spec.constraints, letters) is None:
            unsolved += 1
            assert all(spec.broken(items) for items in itertools.permutations(letters, 4))


def test_a_skill_that_no_letters_satisfy_is_refused() -> None:
    spec = spec_of("starts t", "sorted up", "unique", "count 4")
    with pytest.raises(ValueError, match="has an answer for none of 200 draws"):
        solved_letters(spec, random.Random(0))
