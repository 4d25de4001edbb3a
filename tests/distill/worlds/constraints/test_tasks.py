"""Tasks and skills of the constraint world: many right answers, no lucky ones, nothing executed."""

import random
from pathlib import Path

import pytest
from skillweave.adapters.errors import SkillError
from skillweave.adapters.skills import validate_skill, write_skill
from skillweave.distill.worlds.checkers import checker_of
from skillweave.distill.worlds.constraints import (
    WORLD,
    Constraint,
    ConstraintSpec,
    ConstraintTask,
    constraint_skill,
    draw_tasks,
    held_out_parts,
    is_held_out,
)
from skillweave.distill.worlds.constraints.answers import worked_answer
from skillweave.distill.worlds.constraints.draw import draw_spec
from skillweave.distill.worlds.constraints.split import HELD_OUT_LETTERS, HELD_OUT_PAIRS
from skillweave.distill.worlds.constraints.texts import request_text
from skillweave.distill.worlds.metadata import CHECKER_KEY

SPEC = ConstraintSpec(
    (Constraint("starts", ("k",)), Constraint("count", ("4",)), Constraint("avoids", ("m",))),
    "farm",
)


def one_task() -> ConstraintTask:
    letters = tuple("dnmkrcgp")
    return ConstraintTask("f", "train", "letters: " + " ".join(letters), SPEC, letters, "seen", "")


def test_a_worked_answer_notes_the_rules_and_the_length_before_the_places() -> None:
    said = "start k, count 4, avoid m\nlength 4\nknown 1 k\n1 k 2 d 3 n 4 r\nfinal: k d n r"
    assert worked_answer(SPEC, tuple("kdnr")) == said
    assert one_task().verify(said).passed


def test_a_worked_answer_names_the_known_places_in_order() -> None:
    rows = (Constraint("ends", ("k",)), Constraint("place", ("2", "n")), Constraint("unique"))
    lines = worked_answer(ConstraintSpec(rows, "farm"), tuple("dnk")).split("\n")
    assert lines[1:3] == ["length 3", "known 2 n 3 k"]
    both = ConstraintSpec((Constraint("starts", ("k",)), Constraint("unique")), "farm")
    assert worked_answer(both, ("k",)).split("\n")[1:3] == ["length 1", "known 1 k"]


@pytest.mark.parametrize(
    "answer", ["final: k d n r", "start k\n1 k\nfinal:  k k k k ", "final:\tk p c d"]
)
def test_every_list_that_satisfies_all_is_right(answer: str) -> None:
    assert one_task().verify(answer).passed


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "0 lines begin with 'final:'"),
        ("k d n r", "0 lines begin with 'final:'"),
        ("final: k d n r\nfinal: k d n r", "2 lines begin"),
        ("final:", "the final line is empty"),
        ("final: k d n", "breaks: count 4"),
        ("final: k m n", "breaks: count 4, avoid m"),
        ("final: k d n b", "'b' is not one of d n m k r c g p"),
        ("final: kdnr", "'kdnr' is not one of"),
        ("final: k, d, n, r", "'k,' is not one of"),
        ("final: " + "k " * 500_000, "1000007 characters, expected at most 20000"),
        ("final: " + "k " * 5_000, "9999 characters, expected letters"),
        ("final: __import__('os')", "is not one of"),
        ("final: open('/tmp/x', 'w')", "19 characters, expected letters"),
        ("final: \udcff d", "'.udcff' is not one of"),
    ],
)
def test_what_is_wrong_is_said(answer: str, reason: str) -> None:
    verdict = one_task().verify(answer)
    assert (verdict.passed, verdict.reward) == (False, 0.0)
    assert reason.replace(".udcff", "\\udcff") in verdict.reason
    assert len(verdict.reason) < 300


def test_the_checker_comes_from_metadata_and_the_skill_can_be_written(tmp_path: Path) -> None:
    for level in (1, 2, 3, 4, 5):
        skill = WORLD.skill(level, seed=level)
        assert validate_skill(write_skill(skill, tmp_path / str(level) / skill.name).parent) == []
        checker = checker_of(skill)
        assert checker is not None
        assert checker.world == "constraints"
        for task in checker.tasks("dev", 3, seed=0):
            assert task.verify(task.environment().expert() or "").passed
    with pytest.raises(ValueError, match="level 6 does not exist in constraints, expected 1 to 5"):
        WORLD.skill(6, seed=0)


def test_a_skill_that_cannot_be_asked_is_refused() -> None:
    rows = (("starts", "t"), ("sorted", "up"), ("unique",), ("count", "4"))
    spec = ConstraintSpec(tuple(Constraint(row[0], row[1:]) for row in rows), "farm")
    with pytest.raises(
        SkillError, match=r"'farm-rules' cannot be asked: .* has an answer for none"
    ):
        checker_of(constraint_skill(spec, seed=0))


def test_more_requests_than_are_unused_are_refused() -> None:
    drawn = draw_tasks(SPEC, family="f", split="train", num_tasks=50, seed=0)
    assert len({task.id for task in drawn}) == 50
    again = draw_tasks(
        SPEC, family="f", split="train", num_tasks=5, seed=0, exclude=[t.id for t in drawn]
    )
    assert not {task.id for task in again} & {task.id for task in drawn}


def test_test_requests_alternate_between_seen_and_unseen_wordings() -> None:
    drawn = draw_tasks(SPEC, family="f", split="test", num_tasks=6, seed=0)
    assert [task.meta["wording"] for task in drawn] == ["seen", "unseen"] * 3


def test_held_out_by_letters_and_by_pairs_of_kinds() -> None:
    rng = random.Random(0)
    for index in range(50):
        level = 1 + index % 5
        spec = draw_spec(rng, level, held_out=bool(index % 2))
        assert is_held_out(spec) == bool(index % 2)
        elsewhere = ConstraintSpec(spec.constraints[::-1], "circus")
        assert held_out_parts(elsewhere) == held_out_parts(spec)
        for part in held_out_parts(spec):
            assert ("(" in part) != ("+" in part)
    assert 0 < HELD_OUT_PAIRS < HELD_OUT_LETTERS < 0.5


def test_the_same_letters_are_asked_for_in_the_same_words_under_any_constraints() -> None:
    rng = random.Random(0)
    letters = tuple("dnmkrcgp")
    one = ConstraintSpec((Constraint("starts", ("k",)), Constraint("avoids", ("m",))), "farm")
    two = ConstraintSpec((Constraint("ends", ("m",)), Constraint("contains", ("k",))), "farm")
    for _ in range(50):
        seed = rng.random()
        asked = [request_text(spec, letters, random.Random(seed)) for spec in (one, two)]
        assert asked[0] == asked[1]
    # What answers one does not answer the other.
    assert one.broken(("k", "d", "m"))
    assert not two.broken(("k", "d", "m"))
    assert ConstraintSpec.from_json(constraint_skill(one, seed=0).metadata[CHECKER_KEY]) == one
