"""Budgets are enforced and counted."""

import pytest
from skillweave.adapters.errors import UsageError
from skillweave.distill.evaluation import Budget, BudgetExceeded


def test_what_would_overrun_a_limit_is_refused_and_not_counted() -> None:
    budget = Budget({"rollouts": 5})
    budget.spend("rollouts", 3)
    with pytest.raises(BudgetExceeded, match=r"rollouts: 3 of 5 spent, 3 more for demonstrations"):
        budget.spend("rollouts", 3, on="demonstrations")
    budget.spend("rollouts", 2)
    assert (budget.spent["rollouts"], budget.left("rollouts")) == (5, 0)


def test_what_was_spent_already_is_counted_also_when_it_is_too_much() -> None:
    budget = Budget({"tokens": 10})
    budget.record("tokens", 10)
    with pytest.raises(BudgetExceeded, match="17 of 10 spent, 7 of the last request"):
        budget.record("tokens", 7)
    assert (budget.spent["tokens"], budget.left("tokens")) == (17, 0)


def test_without_a_limit_it_only_counts() -> None:
    budget = Budget()
    budget.spend("teacher_calls", 10**9)
    assert (budget.spent["teacher_calls"], budget.left("teacher_calls")) == (10**9, None)


def test_a_renewed_budget_has_the_limits_and_nothing_spent() -> None:
    budget = Budget.parse("rollouts=5, tokens=100")
    budget.spend("rollouts", 5)
    again = budget.renewed()
    assert (again.limits, again.spent["rollouts"]) == ({"rollouts": 5, "tokens": 100}, 0)
    assert Budget.parse("").limits == {}


@pytest.mark.parametrize(
    "text", ["rollouts", "rollouts=", "rollouts=-1", "euros=5", "rollouts=1,rollouts=2", "tokens=0"]
)
def test_what_is_no_budget_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="expected"):
        Budget.parse(text)


def test_nothing_is_given_back() -> None:
    budget = Budget({"rollouts": 5})
    budget.spend("rollouts", 5)
    for count in (budget.spend, budget.record):
        with pytest.raises(UsageError, match="-3 rollouts to count: expected at least 0"):
            count("rollouts", -3)
    assert budget.left("rollouts") == 0
