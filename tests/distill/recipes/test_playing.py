"""Episodes as answers: an arm plays, and the plan it made is what is verified and kept."""

import asyncio
from collections.abc import Callable

import pytest
from skillweave.distill.evaluation import Arm, EvaluationError, evaluate, several_samples
from skillweave.distill.recipes.playing import AskPlayed
from skillweave.distill.rollouts import Sampling
from skillweave.distill.rollouts.chat import ChatRenderer
from transformers import PreTrainedTokenizerBase

from ..rollouts.counting import CountTask
from ..rollouts.scripted_policy import ScriptedPolicy

ARM = Arm("text", model="m", system="say less")


def asker(
    tokenizer: PreTrainedTokenizerBase, script: Callable[[str], str], *, max_turns: int = 100
) -> tuple[AskPlayed, ScriptedPolicy]:
    policy = ScriptedPolicy(ChatRenderer(tokenizer), script)
    sampling = Sampling(temperature=1.0, max_tokens=16)
    return AskPlayed(policy, sampling, route="tokens", max_turns=max_turns), policy


def test_an_episode_becomes_a_plan_that_verifies(tokenizer: PreTrainedTokenizerBase) -> None:
    ask, policy = asker(tokenizer, lambda seen: "less")
    results = asyncio.run(evaluate([ARM], several_samples([CountTask(3)], 2), ask=ask))
    assert [(row.passed, row.answer) for row in results] == [(True, "less\nless\nless")] * 2
    assert results[0].prompt_tokens > results[0].completion_tokens > 0
    assert {model for model, _, _ in policy.asked} == {"m"}
    seeds = [seed for _, _, seed in policy.asked]
    assert len(set(seeds)) == len(seeds)  # each turn of each sample draws for itself


def test_a_policy_that_does_nothing_does_not_pass(tokenizer: PreTrainedTokenizerBase) -> None:
    ask, _ = asker(tokenizer, lambda seen: "wait")
    (row,) = asyncio.run(evaluate([ARM], [CountTask(2)], ask=ask))
    assert (row.passed, row.error) == (False, "")


def test_an_episode_that_breaks_is_a_failed_request(tokenizer: PreTrainedTokenizerBase) -> None:
    ask, _ = asker(tokenizer, lambda seen: "less")
    task = CountTask(3, wrecked_at=1)
    (row,) = asyncio.run(evaluate([ARM], [task], ask=ask, max_failed_share=1.0))
    assert not row.passed
    assert "the episode ended early" in row.error


def test_an_item_of_no_world_cannot_be_played(tokenizer: PreTrainedTokenizerBase) -> None:
    ask, _ = asker(tokenizer, lambda seen: "less")
    with pytest.raises(EvaluationError, match="no task of a world"):
        asyncio.run(ask(ARM, object.__new__(_NoTask)))  # type: ignore[arg-type]


class _NoTask:
    id, family, split = "i", "f", "test"
    messages, meta = (), {}
