"""One step of RL: what it moves is what each paper says, and a prompt never takes part."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from skillweave.adapters.delta import AdapterDelta, Delta
from skillweave.adapters.errors import TrainingDiverged, UsageError
from skillweave.distill.learning.joint import JointLora
from skillweave.distill.rl.batch import Batch
from skillweave.distill.rl.groups import Group, sift
from skillweave.distill.rl.mismatch import MismatchMonitor
from skillweave.distill.rl.seams import RowLoss
from skillweave.distill.rl.settings import METHODS, MethodName
from skillweave.distill.rl.update import UpdateMetrics, trainer_logps, update, updates
from transformers import PreTrainedModel

from .updating import SPEC, PlainRun, batch_of, gradients, groups, joint_on, objective, weights

CLOSE = 1e-8
each_method = pytest.mark.parametrize("method", sorted(METHODS))


def the_only(found: Sequence[UpdateMetrics | None]) -> UpdateMetrics:
    (one,) = found
    assert one is not None
    return one


def close(ours: AdapterDelta, theirs: AdapterDelta) -> None:
    assert set(ours) == set(theirs)
    for name, one in ours.items():
        assert torch.allclose(one.down_RI, theirs[name].down_RI, atol=CLOSE, rtol=0)
        assert torch.allclose(one.up_OR, theirs[name].up_OR, atol=CLOSE, rtol=0)


@each_method
def test_two_steps_on_a_batch_are_those_of_peft_and_torch(
    wide_base: PreTrainedModel, tmp_path: Path, method: MethodName
) -> None:
    """Loss and gradients, at a ratio of 1 and, after a step, at ratios that are clipped."""
    batch, joint = batch_of(method, groups(1)), joint_on(wide_base)
    joint.save("one", tmp_path / "one", base_name="small-base")
    old = trainer_logps(joint, [batch])
    ours = []
    for known in (None, old):
        found = the_only(update(joint, [batch], [objective(method)], old=known))
        ours.append((found, gradients(joint)))
    plain = PlainRun(wide_base, tmp_path / "one", batch)
    for metrics, own in ours:
        loss, theirs = plain.step(method)
        assert metrics.loss == pytest.approx(loss, abs=CLOSE)
        close(own, theirs)
        norm = sum(float(d.down_RI.square().sum() + d.up_OR.square().sum()) for d in own.values())
        assert metrics.grad_norm == pytest.approx(math.sqrt(norm))
        assert metrics.grad_norm > 1e-3
    assert (ours[0][0].clip_share, ours[1][0].clip_share > 0) == (0, method != "rloo")
    drawn = plain.mask * ~plain.sampler.isnan()
    gap = ((plain.old - plain.sampler).nan_to_num() * drawn).abs().sum() / drawn.sum()
    assert ours[0][0].mismatch.mean_abs == pytest.approx(float(gap))
    assert 0 < ours[0][0].mismatch.truncated_share < 1
    assert ours[0][0].mismatch.masked_share == 6 / batch.num_tokens
    assert ours[0][0].entropy == pytest.approx(-float((plain.old * drawn).sum() / drawn.sum()))


def test_inner_steps_are_compared_with_the_policy_before_the_first(
    wide_base: PreTrainedModel,
) -> None:
    batch, how = batch_of("dapo", groups(1)), [objective("dapo")]
    joint, by_hand = joint_on(wide_base), joint_on(wide_base)
    found = updates(joint, [batch], how, inner_steps=3)
    old = trainer_logps(by_hand, [batch])
    assert found == [update(by_hand, [batch], how, old=old) for _ in range(3)]
    mismatches = {the_only(one).mismatch for one in found}
    assert len(mismatches) == 1  # the importance weights are those of the first step
    assert len({the_only(one).clip_share for one in found}) > 1
    once = updates(joint_on(wide_base), [batch], how)
    assert [the_only(one).clip_share for one in once] == [0]


@each_method
def test_a_batch_in_parts_gives_the_gradient_of_the_whole(
    wide_base: PreTrainedModel, method: MethodName
) -> None:
    batch = batch_of(method, groups(2))
    found = []
    for micro_rows in (None, 2, 100):
        joint = joint_on(wide_base)
        old = [None if one is None else one - 0.1 for one in trainer_logps(joint, [batch])]
        step = the_only(update(joint, [batch], [objective(method)], old=old, micro_rows=micro_rows))
        found.append((step, gradients(joint)))
    for step, grads in found[1:]:
        close(grads, found[0][1])
        assert step.loss == pytest.approx(found[0][0].loss, abs=CLOSE)
        assert step.mismatch.k3 == pytest.approx(found[0][0].mismatch.k3)
        assert (step.kl, step.entropy) == pytest.approx((found[0][0].kl, found[0][0].entropy))


def test_learners_in_one_step_move_as_each_alone(wide_base: PreTrainedModel) -> None:
    specs = [SPEC, SPEC.model_copy(update={"name": "two", "rank": 2, "seed": 2, "rate": 0.01})]
    batches = [batch_of("grpo", groups(3)), batch_of("dapo", groups(4))]
    objectives = [objective("grpo"), objective("dapo")]
    together = joint_on(wide_base, specs)
    alone = [joint_on(wide_base, [spec]) for spec in specs]
    for _ in range(2):
        found = update(together, batches, objectives)
        for at, joint in enumerate(alone):
            single = the_only(update(joint, [batches[at]], [objectives[at]]))
            one = found[at]
            assert one is not None
            assert one.loss == pytest.approx(single.loss, abs=1e-10)
            close(gradients(together, at), gradients(joint))


def untouched(joint: JointLora, before: dict[str, tuple[torch.Tensor, torch.Tensor]]) -> bool:
    after = weights(joint)
    return all(torch.equal(a, b) for n in before for a, b in zip(before[n], after[n], strict=True))


def equal_groups() -> list[Group]:
    return groups(5, rewards=((1.0, 1.0, 1.0), (0.3, 0.3, 0.3)))


@each_method
@pytest.mark.parametrize("warm", [False, True])
def test_groups_of_equal_rewards_move_nothing_without_a_kl(
    small_base: PreTrainedModel, method: MethodName, warm: bool
) -> None:
    """Dropped or kept, and whatever momentum earlier steps have left."""
    joint, how = joint_on(small_base), objective(method, kl=0.0)
    if warm:
        update(joint, [batch_of(method, groups(1))], [how])
    before = weights(joint)
    for rule in ("keep", "drop"):
        kept = sift(equal_groups(), rule).groups
        (found,) = update(joint, [batch_of(method, kept)], [how])
        assert untouched(joint, before)
        assert (found is None) == (rule == "drop")
        assert found is None or (found.loss, found.grad_norm, found.moved) == (0, 0, False)
    assert joint.num_steps == 2 + warm


def test_the_distance_to_the_base_moves_even_equal_groups(small_base: PreTrainedModel) -> None:
    joint = joint_on(small_base)
    before = weights(joint)
    found = the_only(update(joint, [batch_of("grpo", equal_groups())], [objective("grpo")]))
    assert found.moved
    assert not untouched(joint, before)
    assert found.kl is not None
    assert found.kl > 0
    assert found.loss == pytest.approx(found.kl_loss)


def test_nothing_on_a_prompt_counts(wide_base: PreTrainedModel) -> None:
    """Log-probabilities, advantages and versions of prompt tokens may be anything."""

    def planted(batch: Batch, value: float) -> Batch:
        def on_prompt(values: Sequence[float], learn: Sequence[bool]) -> tuple[float, ...]:
            return tuple(v if own else value for v, own in zip(values, learn, strict=True))

        rows = [
            replace(
                row,
                sampler_logp=on_prompt(row.sampler_logp, row.tokens.learn),
                advantages=on_prompt(row.advantages, row.tokens.learn),
            )
            for row in batch.rows
        ]
        return Batch(tuple(rows), batch.terms)

    found = []
    for value in (0.0, -50.0, math.inf, math.nan):
        joint = joint_on(wide_base)
        batch = planted(batch_of("grpo", groups(6)), value)
        found.append((update(joint, [batch], [objective("grpo")]), weights(joint)))
    for metrics, after in found[1:]:
        assert metrics == found[0][0]
        assert all(torch.equal(a[1], found[0][1][n][1]) for n, a in after.items())


def test_a_gate_chooses_between_policy_and_imitation(wide_base: PreTrainedModel) -> None:
    """Imitation alone is the supervised step; both together are the sum of both."""
    batch = batch_of("dapo", groups(7))

    def gated(loss: RowLoss) -> tuple[UpdateMetrics, AdapterDelta]:
        joint = joint_on(wide_base)
        rows = tuple(replace(row, loss=loss) for row in batch.rows)
        own = Batch(rows, batch.terms)
        return the_only(update(joint, [own], [objective("dapo")])), gradients(joint)

    imitate, policy = gated(RowLoss(0.0, 1.0)), gated(RowLoss(1.0, 0.0))
    both = gated(RowLoss(2.0, 0.5))
    supervised = joint_on(wide_base)
    (nll,) = supervised.step([batch.token_rows])
    assert imitate[0].loss == pytest.approx(nll, abs=CLOSE)
    close(imitate[1], gradients(supervised))
    assert both[0].loss == pytest.approx(2 * policy[0].loss + 0.5 * imitate[0].loss, abs=CLOSE)
    summed = {
        name: Delta(
            2 * policy[1][name].down_RI + 0.5 * one.down_RI,
            2 * policy[1][name].up_OR + 0.5 * one.up_OR,
            1.0,
        )
        for name, one in imitate[1].items()
    }
    close(both[1], summed)


def drawn_by(engine: JointLora, batch: Batch) -> Batch:
    """The same tokens as if an engine that serves this adapter had drawn them all."""
    (logps,) = trainer_logps(engine, [batch])
    assert logps is not None
    told, rows = iter(logps.tolist()), []
    for row in batch.rows:
        own = tuple(next(told) if learned else math.nan for learned in row.tokens.learn)
        rows.append(replace(row, sampler_logp=own))
    return Batch(tuple(rows), batch.terms)


@each_method
def test_what_was_rewarded_becomes_likelier_than_what_was_not(
    small_base: PreTrainedModel, method: MethodName
) -> None:
    joint = joint_on(small_base, [SPEC.model_copy(update={"rate": 1e-3})])
    batch = drawn_by(joint, batch_of(method, groups(8, rewards=((1.0, 0.0),))))
    (before,) = trainer_logps(joint, [batch])
    for _ in range(5):
        update(joint, [batch], [objective(method, kl=0.0)])
    (after,) = trainer_logps(joint, [batch])
    assert before is not None
    assert after is not None
    won, lost = (after - before).split([len(row.learned) for row in batch.rows])
    assert float(won.mean()) > float(lost.mean())


def test_no_rows_at_all_take_no_step_and_are_a_step(small_base: PreTrainedModel) -> None:
    joint, empty = joint_on(small_base), Batch((), {})
    before = weights(joint)
    assert update(joint, [empty], [objective("grpo")]) == (None,)
    assert trainer_logps(joint, [empty]) == [None]
    assert untouched(joint, before)
    assert joint.num_steps == 1


def test_an_engine_that_serves_another_adapter_is_found(small_base: PreTrainedModel) -> None:
    """A run whose engine agrees goes on; the same run with another's log-probabilities stops."""
    joint, batch = joint_on(small_base), batch_of("dapo", groups(9))
    other = joint_on(small_base, [SPEC.model_copy(update={"seed": 7})])
    right, wrong = (drawn_by(one, batch) for one in (joint, other))
    monitor = MismatchMonitor().seen(the_only(update(joint, [right], [objective("dapo")])).mismatch)
    assert monitor.first is not None
    assert monitor.first < 1e-5
    found = the_only(update(joint, [wrong], [objective("dapo")])).mismatch
    with pytest.raises(TrainingDiverged, match="trainer and engine differ by"):
        monitor.seen(found)


def test_a_loss_that_is_no_number_moves_nothing(small_base: PreTrainedModel) -> None:
    joint = joint_on(small_base)
    name, one = next(iter(joint.delta("one").items()))
    loud = dict(joint.delta("one"))
    loud[name] = Delta(one.down_RI, torch.full_like(one.up_OR, math.inf), one.scale)
    joint.load("one", loud)
    before = weights(joint)
    with pytest.raises(TrainingDiverged, match="learner 'one' has losses"):
        update(joint, [batch_of("grpo", groups(1))], [objective("grpo")])
    assert untouched(joint, before)
    assert joint.num_steps == 0


def test_one_batch_and_one_objective_a_learner(small_base: PreTrainedModel) -> None:
    joint, batch = joint_on(small_base), batch_of("grpo", groups(1))
    with pytest.raises(UsageError, match="2 batches and 1 objectives for 1 learners"):
        update(joint, [batch, batch], [objective("grpo")])
