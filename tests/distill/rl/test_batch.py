"""Rows of an update: what is learned, who drew it, and what it is worth."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import torch
from skillweave.adapters.errors import UsageError
from skillweave.distill.rl.batch import Batch, batches_of
from skillweave.distill.rl.credit import Credit, PerToken, PerTurn
from skillweave.distill.rl.groups import Group, Rollout
from skillweave.distill.rl.plain import Only, policy_only
from skillweave.distill.rl.seams import RowLoss
from skillweave.distill.rl.terms import RewardTerm
from skillweave.distill.rollouts.learnable import OFF_POLICY
from skillweave.distill.rollouts.trajectory import TokenSpan, Trajectory, Turn

from .playing import trajectory, turn

FORCED = TokenSpan("demo_prefix", (7, 8))


@dataclass(frozen=True)
class Fixed:
    """A term that gives what it was told."""

    credit: Sequence[Credit]
    name: str = "fixed"

    def __call__(self, group: Group) -> Sequence[Credit]:
        return self.credit


def batch_of(*rollouts: Rollout, credit: Sequence[Credit] = (1.0,)) -> Batch:
    group = Group.of(rollouts, step=0)
    (found,) = batches_of(
        [group], [Fixed(credit)], gate=policy_only, target=Only("one"), learners=["one"]
    )
    return found


def test_a_row_holds_what_was_drawn_and_by_whom() -> None:
    played = trajectory(
        turn((1, 2), (3, 4), logprob=-0.5, version="run@0"), turn((5,), (6,), version="run@1")
    )
    (row,) = batch_of(Rollout.of(played), credit=[PerTurn((0.5, -2.0))]).rows
    assert row.tokens.ids == (1, 2, 3, 4, 5, 6)
    assert row.tokens.learn == (False, False, True, True, False, True)
    assert [row.sampler_logp[at] for at in row.learned] == [-0.5, -0.5, -1.0]
    assert all(math.isnan(row.sampler_logp[at]) for at in (0, 1, 4))
    assert row.versions == ("", "", "run@0", "run@0", "", "run@1")
    assert [row.advantages[at] for at in row.learned] == [0.5, 0.5, -2.0]


def test_forced_tokens_are_learned_by_rule_alone_and_without_a_sampler() -> None:
    played = trajectory(turn((1, 2), (3, 4), forced=(FORCED,)))
    on = batch_of(Rollout.of(played))
    off = batch_of(Rollout.of(played, rule=OFF_POLICY))
    assert (on.num_tokens, off.num_tokens) == (2, 4)
    assert off.tokens_by_version == {"run@0": 2}
    sampler = off.learned(like=torch.zeros(1)).sampler_BT
    assert sampler.isnan().tolist() == [[True, True, False, False]]


def test_tensors_hold_learned_tokens_alone() -> None:
    short, long = trajectory(turn((1, 2, 3), (4,))), trajectory(turn((1,), (2, 3)), sample=1)
    batch = batch_of(Rollout.of(short), Rollout.of(long), credit=[2.0, -1.0])
    found = batch.learned(like=torch.zeros(1, dtype=torch.float64))
    assert found.mask_BT.tolist() == [[1, 0], [1, 1]]
    assert found.advantages_BT.tolist() == [[2, 0], [-1, -1]]
    assert found.sampler_BT.dtype == torch.float64
    assert found.spread(torch.tensor([5.0, 6, 7])).tolist() == [[5, 0], [6, 7]]


def test_terms_are_summed_and_told_apart() -> None:
    group = Group.of([Rollout.of(trajectory()), Rollout.of(trajectory(reward=1.0))], step=0)
    terms = [RewardTerm("dr_grpo"), Fixed((0.25, PerToken(((0.0, 0.0, 1.0, 3.0),))), name="own")]
    (batch,) = batches_of([group], terms, gate=policy_only, target=Only("a"), learners=["a"])
    learned = batch.learned(like=torch.zeros(1))
    assert learned.advantages_BT.tolist() == [[-0.25, -0.25], [1.5, 3.5]]
    assert batch.terms == {"reward": 0.5, "own": pytest.approx((0.25 * 2 + 1 + 3) / 4)}


def test_each_learner_gets_its_own_rows_and_losses() -> None:
    played = [Rollout.of(trajectory(), arm=arm) for arm in ("author", "policy", "frozen")]
    group = Group.of(played, step=0)
    author, policy, idle = batches_of(
        [group],
        [RewardTerm("dr_grpo")],
        gate=lambda _, one: RowLoss(0.5, 2.0) if one.arm == "author" else RowLoss(),
        target=lambda _, one: None if one.arm == "frozen" else one.arm,
        learners=["author", "policy", "idle"],
    )
    assert [len(one.rows) for one in (author, policy, idle)] == [1, 1, 0]
    assert (author.rows[0].loss.policy, author.rows[0].loss.sft) == (0.5, 2.0)
    assert (author.tells, policy.tells, idle.tells) == (True, False, False)
    with pytest.raises(UsageError, match=r"target 'two': expected one of \['one'\]"):
        batches_of([group], [], gate=policy_only, target=Only("two"), learners=["one"])


def test_rows_without_a_learned_token_are_left_out() -> None:
    played = trajectory(turn((1, 2), (3,)), turn((4, 5), (), continues=False))
    assert len(batch_of(Rollout.of(played)).rows) == 1
    alone = trajectory(turn((), (3, 4)))  # nothing predicts the first token
    assert batch_of(Rollout.of(alone)).rows[0].learned == (1,)


@pytest.mark.parametrize("logprob", [math.nan, -math.inf])
def test_a_drawn_token_needs_a_log_probability(logprob: float) -> None:
    with pytest.raises(UsageError, match=r"token 2 was drawn with log-probability (nan|-inf)"):
        batch_of(Rollout.of(trajectory(turn((1, 2), (3,), logprob=logprob))))


def test_a_policy_that_tells_none_is_refused() -> None:
    spans = (TokenSpan("prompt", (1,)), TokenSpan("policy", (2,)))
    played: Trajectory = trajectory(Turn(text="", spans=spans))
    with pytest.raises(UsageError, match="log-probability None"):
        batch_of(Rollout.of(played))


def test_strange_terms_are_refused() -> None:
    with pytest.raises(UsageError, match="gave 2 credits for 1 rollouts"):
        batch_of(Rollout.of(trajectory()), credit=(1.0, 2.0))
    with pytest.raises(UsageError, match="an advantage of nan"):
        batch_of(Rollout.of(trajectory()), credit=(math.nan,))
    group = Group.of([Rollout.of(trajectory())], step=0)
    twice = [RewardTerm("dr_grpo"), RewardTerm("leave_one_out")]
    with pytest.raises(UsageError, match="distinct names"):
        batches_of([group], twice, gate=policy_only, target=Only("a"), learners=["a"])
