"""Every answer is validated; what is malformed is retried, then rejected and counted."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skillweave.adapters.errors import SkillweaveError, TeacherError, UsageError
from skillweave.distill.evaluation import Budget, BudgetExceeded
from skillweave.distill.teachers import AskedTeacher, Judgement, MalformedAnswer
from skillweave.distill.teachers.asking import MAX_ANSWER_CHARS, parsed

from .scripted import ASKED, YES, Script


def judged(teacher: AskedTeacher, seed: int = 0) -> Judgement:
    return asyncio.run(teacher.ask("judge", ASKED, schema=Judgement, seed=seed))


def test_a_well_formed_answer_is_a_value() -> None:
    teacher = AskedTeacher(Script(YES))
    assert judged(teacher) == Judgement(passed=True, reason="right")
    assert teacher.counts.to_row() == {
        "asked": 1, "answered": 1, "rejected": 0, "malformed": 0, "calls": 1, "replayed": 0,
        "prompt_tokens": 10, "completion_tokens": 2,
    }  # fmt: skip


def test_a_malformed_answer_is_asked_again_with_what_was_wrong() -> None:
    script = Script("Sure!", YES)
    teacher = AskedTeacher(script)
    assert judged(teacher).passed
    assert [attempt for _, attempt, _ in script.heard] == [0, 1]
    assert "is no Judgement" in script.heard[1][2]
    assert (teacher.counts.malformed, teacher.counts.calls) == (1, 2)


def test_after_the_last_attempt_it_is_rejected_and_counted() -> None:
    script = Script("no", "{}", '{"passed": "perhaps"}', YES)
    teacher = AskedTeacher(script, attempts=3)
    with pytest.raises(MalformedAnswer, match=r"in 3 attempts; the last: .*passed"):
        judged(teacher)
    assert len(script.heard) == 3
    assert (teacher.counts.rejected, teacher.counts.malformed, teacher.counts.answered) == (1, 3, 0)


def test_a_teacher_that_is_away_is_no_malformed_answer() -> None:
    teacher = AskedTeacher(Script(None))
    with pytest.raises(TeacherError, match="nobody is there") as caught:
        judged(teacher)
    assert not isinstance(caught.value, MalformedAnswer)
    assert teacher.counts.asked == 0


@pytest.mark.parametrize("text", [YES, f"```json\n{YES}\n```", f"```\n{YES}\n```\n", f"  {YES}\n"])
def test_a_fence_around_the_object_is_taken_off(text: str) -> None:
    assert parsed(text, Judgement) == Judgement(passed=True, reason="right")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        f"Here it is: {YES}",
        f"{YES} {YES}",
        '{"passed": true, "sure": 1}',
        '{"passed": NaN}',
        '{"passed": true',
        "__import__('os').system('true')",
        '{"passed": true, "reason": "\ud800"}',
        "[" * 100_000,
        '{"passed": true, "reason": "' + "x" * MAX_ANSWER_CHARS + '"}',
    ],
)
def test_hostile_and_sloppy_texts_are_malformed(text: str) -> None:
    assert isinstance(parsed(text, Judgement), str)


@given(st.text(max_size=60))
def test_no_text_raises(text: str) -> None:
    found = parsed(text, Judgement)
    assert isinstance(found, str | Judgement)


def test_a_budget_of_calls_ends_the_asking_before_the_call() -> None:
    script = Script("no", "no", YES)
    budget = Budget({"teacher_calls": 2})
    with pytest.raises(BudgetExceeded):
        judged(AskedTeacher(script, budget=budget))
    assert len(script.heard) == 2
    assert budget.spent["teacher_calls"] == 2
    assert budget.spent["tokens"] == 24


def test_a_budget_of_tokens_counts_malformed_answers_too() -> None:
    budget = Budget({"tokens": 20})
    with pytest.raises(BudgetExceeded, match="tokens"):
        judged(AskedTeacher(Script("no", YES), budget=budget))


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"attempts": 1, "none": True}])
def test_a_teacher_that_could_never_answer_is_refused(wrong: dict[str, int]) -> None:
    source = None if wrong.pop("none", 0) else Script()
    with pytest.raises(UsageError, match="expected at least 1"):
        AskedTeacher(source, **wrong)


def test_every_failure_of_a_teacher_is_ours() -> None:
    assert issubclass(MalformedAnswer, TeacherError)
    assert issubclass(TeacherError, SkillweaveError)


@pytest.mark.parametrize("mark", ["\u2028", "\x85", "\u2029"])
def test_a_fence_leaves_the_strings_inside_as_they_are(mark: str) -> None:
    """These end lines for Python, and stand unescaped in JSON's strings."""
    said = f'```json\n{{"passed": true, "reason": "right{mark}so"}}\n```'
    assert parsed(said, Judgement) == Judgement(passed=True, reason=f"right{mark}so")
