"""Statistics of a skill, worked by hand."""

import pytest
from skillweave.distill.bank import Observation, SkillStats, StatsRule
from skillweave.distill.bank.state import observe


def after(*seen: Observation, rule: StatsRule | None = None) -> SkillStats:
    stats = SkillStats()
    for one in seen:
        stats = observe(stats, one, rule or StatsRule())
    return stats


def test_utility_begins_with_the_first_one_seen_and_then_moves_slowly() -> None:
    assert after(Observation(utility=0.5)).utility == 0.5
    assert after(Observation(utility=0.5), Observation(utility=0.0)).utility == pytest.approx(0.45)


def test_use_alone_is_no_audit() -> None:
    stats = after(Observation(uses=4), Observation(uses=2), Observation(utility=0.2))
    assert (stats.uses, stats.audits, stats.utility) == (6, 1, 0.2)


def test_the_low_streak_counts_audits_in_a_row_and_ends_with_a_good_one() -> None:
    rule = StatsRule(decay=0.0, low=0.1)
    low, high = Observation(utility=0.05), Observation(utility=0.3)
    assert after(low, low, rule=rule).low_streak == 2
    assert after(low, low, Observation(uses=1), low, rule=rule).low_streak == 3
    assert after(low, high, low, rule=rule).low_streak == 1
    assert after(Observation(utility=0.1), rule=rule).low_streak == 0


def test_the_bucket_keeps_the_latest_and_can_be_halved() -> None:
    rule = StatsRule(bucket=4)
    five = Observation(failures=("1", "2", "3", "4", "5"))
    assert after(five, rule=rule).failures == ("2", "3", "4", "5")
    assert after(five, Observation(halve_failures=True), rule=rule).failures == ("4", "5")
    halved = Observation(halve_failures=True, failures=("6",))
    assert after(five, halved, rule=rule).failures == ("4", "5", "6")
    assert after(Observation(failures=("1",)), Observation(halve_failures=True)).failures == ()
