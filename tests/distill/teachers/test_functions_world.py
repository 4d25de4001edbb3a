"""The teacher of named functions blames the first function that went wrong, and no other."""

import asyncio

import pytest
from skillweave.adapters.errors import UsageError
from skillweave.distill.evaluation import Budget, BudgetExceeded
from skillweave.distill.teachers import TRUTH, Cause, Rates
from skillweave.distill.teachers.functions_world import functions_teacher

# dax drops the first, blim doubles the list
WORKED = "dax = drop-first 1: b c\nblim = double: b b c c\nfinal: b b c c"


def blamed(answer: str, **options: object) -> Cause:
    teacher = functions_teacher(**options)  # type: ignore[arg-type]
    told = {"request": "blim of dax of a b c", "answer": answer, TRUTH: WORKED}
    return asyncio.run(teacher.ask("attribute", told, schema=Cause))


@pytest.mark.parametrize(
    ("answer", "mode", "step"),
    [
        (WORKED, "", None),
        ("dax = double: a a b b c c\nblim = double: a\nfinal: a", "dax", 1),
        ("dax = drop-first 1: b c\nblim = reverse: c b\nfinal: c b", "blim", 2),
        # the right list under another function's name is not that function
        ("blim = drop-first 1: b c\nblim = double: b b c c\nfinal: b b c c", "dax", 1),
        ("dax = drop-first 1: b c", "blim", 2),
        ("", "dax", 1),
        ("dax = drop-first 1: b c\nblim = double: b b c c\nfinal: c", "final-line", None),
        ("dax = drop-first 1: b c\nblim = double: b b c c", "final-line", None),
    ],
)
def test_the_first_wrong_step_is_blamed(answer: str, mode: str, step: int | None) -> None:
    cause = blamed(answer)
    assert (cause.failure_mode, cause.step) == (mode, step)


def test_it_errs_as_often_as_it_is_told_and_spends_calls() -> None:
    assert blamed("", rates={"attribute": Rates(error=1.0)}).failure_mode not in ("dax", "blim")
    assert blamed("", rates={"attribute": Rates(junk=1.0)}).failure_mode == "other"
    budget = Budget({"teacher_calls": 1})
    blamed("", budget=budget)
    assert budget.spent["teacher_calls"] == 1
    with pytest.raises(BudgetExceeded):
        blamed("", budget=budget)


def test_without_the_worked_answer_it_says_nothing() -> None:
    told = {"request": "dax of a b", "answer": "final: b"}
    with pytest.raises(UsageError, match="truth"):
        asyncio.run(functions_teacher().ask("attribute", told, schema=Cause))
