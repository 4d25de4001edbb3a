"""Groups of answers to one task, and which of them a step learns from."""

import pytest
from skillweave.adapters.errors import UsageError
from skillweave.distill.rl.groups import Group, Rollout, sift

from .playing import trajectory


def group(*rewards: float, failed: int = 0) -> Group:
    played = [Rollout.of(trajectory(reward=one)) for one in rewards]
    lost = [Rollout.of(trajectory(error="EngineError: gone")) for _ in range(failed)]
    return Group.of([*played, *lost], step=3)


def test_what_could_not_be_played_is_counted_and_left_out() -> None:
    found = group(1.0, 0.0, failed=2)
    assert (found.rewards, found.num_failed, found.step) == ((1.0, 0.0), 2, 3)
    assert group(1.0, 1.0, failed=1).informative is False


def test_a_group_is_of_one_task() -> None:
    with pytest.raises(UsageError, match=r"\['other', 'task'\]"):
        Group.of([Rollout.of(trajectory()), Rollout.of(trajectory(task_id="other"))], step=0)
    with pytest.raises(UsageError, match=r"\[\]"):
        Group.of([], step=0)


def test_arms_are_found_in_order() -> None:
    arms = ("hinted", "plain", "hinted")
    found = Group.of([Rollout.of(trajectory(), arm=arm) for arm in arms], step=0)
    assert found.arms == ("hinted", "plain")
    assert found.places("hinted") == (0, 2)


def test_rules_for_groups_of_equal_rewards() -> None:
    telling, equal, lost = group(1.0, 0.0), group(0.5, 0.5), group(failed=3)
    groups = [equal, telling, lost]
    assert sift(groups, "keep").groups == (equal, telling)
    assert sift(groups, "drop").groups == (telling,)
    assert sift(groups, "drop", redraws_left=2).num_missing == 0
    found = sift(groups, "resample", redraws_left=2)
    assert (found.groups, found.num_equal, found.num_missing) == ((telling,), 1, 2)


def test_redrawing_ends_with_what_there_is() -> None:
    assert sift([group(1.0, 1.0)], "resample", redraws_left=0).num_missing == 0
    assert sift([], "resample", redraws_left=1).groups == ()
