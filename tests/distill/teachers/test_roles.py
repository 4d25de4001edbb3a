"""What may be asked, and what a question's key depends on."""

import pytest
from skillweave.adapters.errors import UsageError
from skillweave.distill.teachers import PRIVILEGED, ROLES, TRUTH, Draft, Judgement, Question
from skillweave.distill.teachers.roles import question

from .scripted import ASKED


def judge(**changes: object) -> Question:
    told = {"role": "judge", "payload": ASKED, "schema": Judgement, "seed": 0, **changes}
    return question(told.pop("role"), told.pop("payload"), **told)  # type: ignore[arg-type]


def test_there_are_ten_roles_and_only_readers_may_see_the_truth() -> None:
    assert len(ROLES) == 10
    readers = {"attribute", "propose", "judge", "challenge", "label_skills"}
    assert readers == PRIVILEGED


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"role": "guess"}, "expected one of attribute, propose"),
        ({"payload": {"request": "x"}}, r"missing \['answer'\]"),
        ({"payload": {**ASKED, "hint": "x"}}, r"unknown \['hint'\]"),
        ({"role": "write", "payload": {"examples": [], TRUTH: "x"}}, "may not see the truth"),
        ({"payload": {**ASKED, "rubric": float("nan")}}, "what JSON cannot say"),
        ({"payload": {**ASKED, "rubric": {1}}}, "what JSON cannot say"),
        ({"payload": {**ASKED, "rubric": "\ud800"}}, "what JSON cannot say"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        judge(**changes)


def test_a_role_sees_the_truth_where_the_teacher_says_so() -> None:
    asked = judge(
        role="write",
        payload={"examples": [], TRUTH: "the checker"},
        schema=Draft,
        privileged={"write"},
    )
    assert "the checker" in asked.messages[1]["content"]


def test_the_prompt_holds_the_instruction_the_schema_and_everything_told() -> None:
    system, user = (turn["content"] for turn in judge().messages)
    assert ROLES["judge"].instruction in system
    assert '"passed"' in system
    assert user == "## answer\nthis\n\n## request\nwhat is it?"


def test_the_key_changes_with_each_of_its_parts_and_with_nothing_else() -> None:
    changed = [
        judge().key("other"),
        judge(seed=1).key("b"),
        judge(payload={**ASKED, "answer": "that"}).key("b"),
        judge(role="reflect").key("b"),
        judge(schema=Draft).key("b"),
    ]
    assert len({judge().key("b"), *changed}) == 6
    assert judge(payload=dict(reversed(ASKED.items()))).key("b") == judge().key("b")
