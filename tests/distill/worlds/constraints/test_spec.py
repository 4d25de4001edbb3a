"""Which sets of constraints are skills, and that in each of them every constraint matters."""

import random

import pytest
from skillweave.distill.worlds.constraints import Constraint, ConstraintSpec
from skillweave.distill.worlds.constraints.draw import draw_spec, letters_for
from skillweave.distill.worlds.constraints.solve import solve


def made_of(*rows: tuple[str, ...]) -> ConstraintSpec:
    return ConstraintSpec(tuple(Constraint(row[0], tuple(row[1:])) for row in rows), "farm")


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([("starts", "k"), ("starts", "m")], "a kind stands twice"),
        ([("starts", "k"), ("avoids", "k")], "a letter is named twice"),
        ([("starts", "k"), ("contains", "k")], "a letter is named twice"),
        ([("starts", "k"), ("count", "4"), ("parity", "even")], "count and parity never stand"),
        ([("starts", "k"), ("unique",), ("twice", "m")], "unique and twice never stand"),
        ([("contains", "k"), ("count", "4")], "chance would satisfy it, expected one of starts"),
        ([("starts", "k"), ("count", "3"), ("before", "m", "n")], "fill every place"),
        ([], "1 to 5 constraints, got 0"),
    ],
)
def test_conflicts_and_constraints_that_say_nothing_are_refused(
    rows: list[tuple[str, ...]], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        made_of(*rows)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (("exec", "rm"), "constraint 'exec' is unknown, expected one of starts"),
        (("starts", "a"), r"constraint 'starts' got parameters \('a',\), expected one of"),
        (("count", "9"), "constraint 'count' got parameters"),
    ],
)
def test_constraints_that_do_not_exist_are_refused(row: tuple[str, ...], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Constraint(row[0], row[1:])


def test_a_topic_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="topic 'space' is unknown"):
        ConstraintSpec((Constraint("starts", ("k",)),), "space")


def test_a_spec_is_read_back_from_its_json() -> None:
    rng = random.Random(0)
    for index in range(60):
        spec = draw_spec(rng, 1 + index % 5, held_out=bool(index % 2))
        assert ConstraintSpec.from_json(spec.to_json()) == spec
    for text in ("", "[]", '{"constraints": 3}', '{"constraints": [[]], "topic": "farm"}'):
        with pytest.raises(ValueError, match=r"not a constraint skill|Expecting value"):
            ConstraintSpec.from_json(text)


def test_no_constraint_of_a_drawn_skill_follows_from_the_others() -> None:
    rng = random.Random(1)
    for index in range(30):
        spec = draw_spec(rng, 1 + index % 5, held_out=bool(index % 2))
        for row in spec.constraints:
            assert _violable(spec, row, rng), f"{spec.to_json()}: {row.kind} follows"


def _violable(spec: ConstraintSpec, row: Constraint, rng: random.Random) -> bool:
    """Whether some list breaks `row` alone, found by satisfying the others with some letters."""
    others = [other for other in spec.constraints if other != row]
    needed = [x for other in others for x in other.symbols]
    sized = any(other.kind == "count" for other in others)
    for _ in range(100):
        more = rng.sample(letters_for(spec, rng), rng.randint(1, 8))
        letters = list(dict.fromkeys([*needed, *more]))
        rng.shuffle(letters)
        size = () if sized else (Constraint("count", (str(rng.randint(3, 8)),)),)
        items = solve([*others, *size], tuple(letters))
        if items is not None and spec.broken(items) == (row,):
            return True
    return False
