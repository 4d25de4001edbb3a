"""The plain seams fill the protocols and change nothing."""

import asyncio
import subprocess
import sys

import numpy as np
from skillweave.distill.rl import plain, seams
from skillweave.distill.rl.groups import Group, Rollout
from skillweave.distill.worlds.types import Task

from .playing import trajectory

RNG = np.random.default_rng(0)


def test_one_arm_is_played_once(task: Task) -> None:
    plan: seams.RolloutPlan = plain.OneArm(4)
    context = seams.Context(system="be brief")
    first = asyncio.run(plan.wave(task, context, [], RNG))
    assert [(arm.samples, arm.context, arm.model) for arm in first] == [(4, None, None)]
    assert not asyncio.run(plan.wave(task, context, [Rollout.of(trajectory())], RNG))


def test_one_context_for_training_and_tests(task: Task) -> None:
    policy: seams.ContextPolicy = plain.SameContext(seams.Context(system="be brief"))
    shown = {policy.context(task, 7, RNG, purpose=purpose) for purpose in ("train", "eval")}
    assert shown == {seams.Context(system="be brief")}


def test_the_verdict_is_the_reward_whatever_was_there(task: Task) -> None:
    scorer: seams.Scorer = plain.VerdictScorer()
    played = [Rollout(trajectory(reward=0.25), reward=9.0, arm="hinted")]
    (scored,) = asyncio.run(scorer.score(task, played))
    assert (scored.reward, scored.arm) == (0.25, "hinted")


def test_one_learner_and_one_loss() -> None:
    rollout = Rollout.of(trajectory())
    group = Group.of([rollout], step=0)
    gate: seams.LossGate = plain.policy_only
    target: seams.UpdateTarget = plain.Only("drop-first")
    assert gate(group, rollout) == seams.RowLoss(policy=1.0, sft=0.0)
    assert target(group, rollout) == "drop-first"
    assert not isinstance(target, seams.Stateful)


def test_settings_and_seams_need_no_torch() -> None:
    """A plan or a refusal must not wait for it."""
    light = "settings, seams, plain, tasks, groups, credit"
    code = f"import sys; from skillweave.distill.rl import {light}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
