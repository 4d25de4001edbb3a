"""SLIM's audit: each bound by hand, and a whole history through a bank's statistics."""

from dataclasses import replace
from typing import Any

import pytest
from skillweave.adapters.errors import UsageError
from skillweave.distill.bank.state import BankState, SkillStats, observe
from skillweave.distill.bank.types import Observation
from skillweave.distill.bank.utility import Pair, PairedResults
from skillweave.distill.curricula import AuditRule, audit, most_used, observation_of

FAILED = tuple(f"t{i}" for i in range(20))
DONE = SkillStats(uses=30, utility=0.0009, audits=9, low_streak=3)
SHORT = SkillStats(uses=40, utility=0.029, audits=3, failures=FAILED)
USEFUL = SkillStats(uses=40, utility=0.03, audits=3)


def bank(**stats: SkillStats) -> BankState:
    """Active skills by name, each with the statistics of its version."""
    return BankState(
        heads={n: f"at-{n}" for n in stats}, stats={f"at-{n}": s for n, s in stats.items()}
    )


def actions(state: BankState, success: dict[str, float], kind: str = "") -> dict[str, str]:
    """By default each skill is the only one of its kind."""
    kinds = {name: kind or name for name in state.heads}
    return {one.skill: one.action for one in audit(state, success, kinds=kinds)}


def changed(stats: SkillStats, **change: Any) -> SkillStats:
    return replace(stats, **change)


def test_a_skill_retires_when_all_three_bounds_hold() -> None:
    assert actions(bank(a=DONE, b=USEFUL), {"a": 0.9}) == {"a": "retire"}


@pytest.mark.parametrize("change", [{"utility": 0.001}, {"low_streak": 2}, {"uses": 29}])
def test_and_stays_when_one_does_not(change: dict[str, Any]) -> None:
    assert actions(bank(a=changed(DONE, **change), b=USEFUL), {"a": 0.9}) == {"a": "keep"}


def test_a_kind_of_task_expands_when_all_bounds_hold() -> None:
    (decision,) = audit(bank(a=SHORT), {"a": 0.39}, kinds={"a": "x"})
    assert (decision.action, decision.failures) == ("expand", FAILED)
    assert "utility +0.029" in decision.reason
    assert "20 failures" in decision.reason


@pytest.mark.parametrize(
    ("success", "change"), [(0.4, {}), (0.1, {"failures": FAILED[1:]}), (0.1, {"utility": 0.03})]
)
def test_and_does_not_when_one_does_not(success: float, change: dict[str, Any]) -> None:
    (decision,) = audit(bank(a=changed(SHORT, **change)), {"a": success}, kinds={"a": "x"})
    assert (decision.action, decision.failures) == ("keep", ())


def test_a_useful_skill_of_the_kind_makes_another_needless() -> None:
    state = bank(a=SHORT, b=USEFUL)
    assert actions(state, {"a": 0.1}, kind="same") == {"a": "keep"}
    assert actions(state, {"a": 0.1}) == {"a": "expand"}


def test_a_kind_is_expanded_once_from_its_fullest_bucket() -> None:
    fuller = changed(SHORT, failures=(*FAILED, "more"))
    state = bank(a=SHORT, b=fuller)
    assert actions(state, {"a": 0.1, "b": 0.1}, kind="same") == {"a": "keep", "b": "expand"}
    assert actions(state, {"a": 0.1, "b": 0.1}) == {"a": "expand", "b": "expand"}


def test_what_retires_is_not_expanded() -> None:
    state = bank(a=changed(DONE, failures=FAILED), b=USEFUL)
    assert actions(state, {"a": 0.1}) == {"a": "retire"}


def test_every_skill_may_leave() -> None:
    assert actions(bank(a=DONE, b=DONE), {"a": 0.9, "b": 0.9}) == {"a": "retire", "b": "retire"}


def test_a_history_through_the_banks_own_statistics() -> None:
    # useful once, useless since: the average falls under 0.001 and stays there for three audits
    rule = BankState().rule.model_copy(update={"decay": 0.1})
    stats, seen = SkillStats(), []
    for utility in (0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0):
        stats = observe(stats, Observation(uses=10, utility=utility), rule)
        state = BankState(rule=rule, heads={"a": "1", "b": "2"}, stats={"1": stats, "2": USEFUL})
        seen.append(actions(state, {"a": 0.9})["a"])
    # 0.5, 0.05, 0.005, 0.0005 (streak 1), 2, 3, 4
    assert seen == ["keep"] * 5 + ["retire"] * 2


def test_who_is_audited_and_when() -> None:
    uses = {"a": 3, "b": 9, "c": 0, "d": 3, "g": 50}
    rule = AuditRule(most_audited=2, every=5)
    assert most_used(uses, rule) == ("g", "b")
    assert most_used(uses, rule, general="g") == ("b", "a", "g")
    assert most_used({"g": 0, "a": 1}, rule, general="g") == ("a",)
    assert [step for step in range(12) if rule.due(step)] == [4, 9]


def test_what_the_bank_is_told() -> None:
    results = PairedResults((Pair("t", 0, "f", 0.0, 1.0), Pair("u", 0, "f", 0.5, 0.5)))
    seen = observation_of(results, uses=7, failures=("u",))
    assert seen == Observation(uses=7, utility=0.5, failures=("u",))


def test_audits_of_nothing_known_are_refused() -> None:
    with pytest.raises(UsageError, match="'z' is not active"):
        actions(bank(a=USEFUL), {"z": 0.5})
    with pytest.raises(UsageError, match="'a' is unmeasured"):
        actions(bank(a=SkillStats(uses=3)), {"a": 0.5})
    with pytest.raises(UsageError, match="'b' has no kind"):
        audit(bank(a=USEFUL, b=USEFUL), {"a": 0.5}, kinds={"a": "x"})
