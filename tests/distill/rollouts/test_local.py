"""The local policy against transformers and peft, on a small random base."""

import asyncio
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch
from peft import PeftModel
from skillweave.adapters.errors import (
    AdapterRefused,
    EngineError,
    MissingAbility,
    ModelStringError,
    NotFound,
    UsageError,
)
from skillweave.adapters.peft_folder.deltas import write_peft
from skillweave.distill.rollouts import Sampling
from skillweave.distill.rollouts.local import LocalPolicy
from skillweave.distill.rollouts.policy import Generation
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from .conftest import MakeDelta

Made = TypeVar("Made")
PROMPTS = [(1, 30, 31, 32, 33), (1, 40), (1, 50, 51, 52, 53, 54, 55, 56)]
FREE = Sampling(temperature=1.0, max_tokens=12, seed=5)


def together(*asked: Awaitable[Made]) -> list[Made]:
    async def go() -> list[Made]:
        return await asyncio.gather(*asked)

    return asyncio.run(go())


def reference(model: Any, ids: Sequence[int], num: int) -> torch.Tensor:
    """(num, V) log-probabilities at the last `num` tokens, one plain forward pass."""
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([list(ids)])).logits[0].float()
    return logits.log_softmax(-1)[-num - 1 : -1]


def check_told(model: Any, answer: Generation, *, within: float = 1e-5) -> None:
    """What a generation says about its tokens is what a forward pass says."""
    assert answer.logprobs is not None
    logp = reference(model, answer.prompt_ids + answer.ids, len(answer.ids))
    told = logp.gather(-1, torch.tensor(answer.ids)[:, None])[:, 0]
    assert torch.tensor(answer.logprobs) == pytest.approx(told, abs=within)


def test_greedy_answers_are_those_of_transformers(
    local: LocalPolicy, small_base: PreTrainedModel
) -> None:
    how = Sampling(max_tokens=16)
    answers = together(*(local.generate(p, model="base", sampling=how) for p in PROMPTS))
    for prompt, answer in zip(PROMPTS, answers, strict=True):
        ids = torch.tensor([prompt])
        model: Any = small_base
        whole = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=16, do_sample=False
        )
        assert answer.ids == tuple(whole[0, len(prompt) :].tolist())
        assert (answer.tokens_in, answer.tokens_out) == (len(prompt), len(answer.ids))
        check_told(small_base, answer)


def test_rows_of_many_adapters_share_a_batch_and_agree_with_peft(
    local: LocalPolicy, small_base: PreTrainedModel, make_delta: MakeDelta, tmp_path: Path
) -> None:
    names = ["b", "base", "a", "b", "a"]
    asked = [(PROMPTS[i % 3], name) for i, name in enumerate(names)]
    answers = together(*(local.generate(p, model=m, sampling=FREE) for p, m in asked))
    write_peft(make_delta(small_base, seed=1), tmp_path / "a")
    write_peft(make_delta(small_base, seed=2, rank=3), tmp_path / "b")
    for name, answer in zip(names, answers, strict=True):
        if name == "base":
            check_told(small_base, answer)
            continue
        peft: Any = PeftModel.from_pretrained(small_base, str(tmp_path / name))
        check_told(peft, answer)
        peft.unload()
        with pytest.raises(AssertionError):
            check_told(small_base, answer, within=0.01)


def test_a_sum_of_adapters_acts_as_the_sum_of_their_updates(
    local: LocalPolicy, small_base: PreTrainedModel, make_delta: MakeDelta
) -> None:
    (answer,) = together(local.generate(PROMPTS[0], model="a*0.5+b*-0.25", sampling=FREE))
    assert answer.policy_version == "1+1"
    one, two = make_delta(small_base, seed=1), make_delta(small_base, seed=2, rank=3)
    for name, module in small_base.named_modules():
        if name in one:
            change = 0.5 * one[name].dense_OI() - 0.25 * two[name].dense_OI()
            module.weight.data += change  # type: ignore[operator]
    check_told(small_base, answer)


def test_what_a_row_draws_does_not_depend_on_its_neighbours(local: LocalPolicy) -> None:
    asked = [(p, m, seed) for p in PROMPTS for m in ("a", "base") for seed in (1, 2)]

    def ask(prompt: tuple[int, ...], model: str, seed: int) -> Awaitable[Generation]:
        how = Sampling(temperature=1.0, max_tokens=10, seed=seed)
        return local.generate(prompt, model=model, sampling=how)

    batched = together(*(ask(*one) for one in asked))
    alone = [together(ask(*one))[0] for one in asked]
    assert [one.ids for one in batched] == [one.ids for one in alone]
    assert len({one.ids for one in batched}) == len(asked)


def test_several_answers_to_one_prompt_have_seeds_of_their_own(local: LocalPolicy) -> None:
    how = Sampling(temperature=1.0, max_tokens=8, seed=5, n=3)
    (three,) = together(local.sample(PROMPTS[0], model="a", sampling=how))
    one = together(
        *(local.generate(PROMPTS[0], model="a", sampling=Sampling(1.0, 8, 5 + i)) for i in range(3))
    )
    assert [a.ids for a in three] == [a.ids for a in one]
    with pytest.raises(UsageError, match="n is 3: expected 1"):
        together(local.generate(PROMPTS[0], model="a", sampling=how))


def test_scores_are_those_of_a_forward_pass(
    local: LocalPolicy, small_base: PreTrainedModel
) -> None:
    asked = [((1, 30, 31), (32, 33, 34)), ((1,), (40, 41)), ((1, 5, 6, 7, 8, 9), (2,))]
    scores = together(*(local.score(p, t, model="base", entropy=True) for p, t in asked))
    for (prompt, tokens), score in zip(asked, scores, strict=True):
        logp = reference(small_base, prompt + tokens, len(tokens))
        told = logp.gather(-1, torch.tensor(tokens)[:, None])[:, 0]
        assert torch.tensor(score.logprobs) == pytest.approx(told, abs=1e-5)
        assert torch.tensor(score.entropy) == pytest.approx(-(logp.exp() * logp).sum(-1), abs=1e-4)


def test_drawn_tokens_score_as_they_were_drawn(local: LocalPolicy) -> None:
    (answer,) = together(local.generate(PROMPTS[2], model="b", sampling=FREE))
    own, other = together(
        local.score(answer.prompt_ids, answer.ids, model="b"),
        local.score(answer.prompt_ids, answer.ids, model="base"),
    )
    assert own.logprobs == pytest.approx(answer.logprobs, abs=1e-5)
    assert own.entropy is None
    gaps = [abs(a - b) for a, b in zip(own.logprobs, other.logprobs, strict=True)]
    assert max(gaps) > 0.1


def test_an_answer_ends_at_the_first_end_token(
    small_base: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    """End tokens are those of the generation config, and the tokenizer's own."""
    ends = set(range(1000, 1600))
    small_base.generation_config.eos_token_id = sorted(ends)  # type: ignore[union-attr]
    policy = LocalPolicy(small_base, tokenizer)
    hot = [Sampling(temperature=50.0, max_tokens=20, seed=seed) for seed in range(8)]
    answers = together(*(policy.generate((1,), model="base", sampling=how) for how in hot))
    ends.add(2)
    for one in answers:
        assert not ends & set(one.ids[:-1])
        assert (one.finish_reason == "stop") == (one.ids[-1] in ends)
    assert {one.finish_reason for one in answers} >= {"stop"}
    assert len({len(one.ids) for one in answers}) > 1
    for one, how in zip(answers, hot, strict=True):
        assert together(policy.generate((1,), model="base", sampling=how))[0].ids == one.ids


def test_an_answer_ends_at_a_stop_text_and_keeps_its_tokens(local: LocalPolicy) -> None:
    (free,) = together(local.generate((1,), model="base", sampling=Sampling(50.0, 40, 0)))
    letter = next(c for c in free.text[5:] if c.isalpha() and c not in free.text[:3])
    how = Sampling(50.0, 40, 0, stop=("never said", letter))
    (stopped,) = together(local.generate((1,), model="base", sampling=how))
    assert stopped.finish_reason == "stop"
    assert stopped.text == free.text[: free.text.index(letter)]
    assert letter in local.renderer.decode(stopped.ids)
    assert stopped.ids == free.ids[: len(stopped.ids)]


def test_names_are_put_replaced_counted_and_dropped(
    local: LocalPolicy, small_base: PreTrainedModel, make_delta: MakeDelta
) -> None:
    adapters = local.adapters
    assert adapters.put("run@3", make_delta(small_base, seed=3)) == "1"
    assert adapters.put("run@3", make_delta(small_base, seed=4)) == "2"
    assert adapters.put("run@3", make_delta(small_base, seed=4), version="7") == "7"
    (answer,) = together(local.generate(PROMPTS[0], model="run@3", sampling=FREE))
    assert answer.policy_version == "7"
    adapters.drop("run@3")
    with pytest.raises(NotFound, match="no adapter 'run@3' here: expected base, or one of a, b"):
        together(local.generate(PROMPTS[0], model="run@3", sampling=FREE))


@pytest.mark.parametrize("name", ["base", "auto", "a+b", "a*0.5", "a:adapter"])
def test_a_name_is_a_name_alone(
    local: LocalPolicy, small_base: PreTrainedModel, make_delta: MakeDelta, name: str
) -> None:
    with pytest.raises(UsageError, match="not a name alone"):
        local.adapters.put(name, make_delta(small_base, seed=3))
    with pytest.raises(ModelStringError):
        local.adapters.put("no name", make_delta(small_base, seed=3))


def test_an_adapter_that_does_not_fit_is_refused_with_every_problem(
    local: LocalPolicy, small_base: PreTrainedModel, make_delta: MakeDelta
) -> None:
    good = make_delta(small_base, seed=3)
    name = "model.layers.0.mlp.up_proj"
    wrong = {"model.layers.9.x": good[name], name: good["model.layers.0.mlp.down_proj"]}
    with pytest.raises(AdapterRefused, match=r"2 problem.*") as caught:
        local.adapters.put("c", wrong)
    assert {problem.code for problem in caught.value.problems} == {"no_such_module", "wrong_shape"}


def test_a_folder_goes_through_the_gate(
    local: LocalPolicy, small_base: PreTrainedModel, make_delta: MakeDelta, tmp_path: Path
) -> None:
    write_peft(make_delta(small_base, seed=1), tmp_path / "c")
    local.adapters.load("c", tmp_path / "c")
    one, two = together(*(local.generate(PROMPTS[0], model=m, sampling=FREE) for m in ("a", "c")))
    assert one.ids == two.ids
    (tmp_path / "c" / "adapter_model.safetensors").unlink()
    with pytest.raises(AdapterRefused):
        local.adapters.load("d", tmp_path / "c")


def test_factors_in_training_are_used_where_they_lie(
    local: LocalPolicy, small_base: PreTrainedModel, make_delta: MakeDelta
) -> None:
    delta = make_delta(small_base, seed=3)
    local.adapters.put("live", delta)
    tokens = (30, 31, 32)
    (before,) = together(local.score((1,), tokens, model="live"))
    for module in delta.values():
        module.up_OR.zero_()
    after, base = together(*(local.score((1,), tokens, model=m) for m in ("live", "base")))
    assert after.logprobs == pytest.approx(base.logprobs, abs=1e-6)
    assert before.logprobs != pytest.approx(base.logprobs, abs=1e-2)


@pytest.mark.parametrize("model", ["auto", "a:text"])
def test_what_only_a_server_can_is_a_missing_ability(local: LocalPolicy, model: str) -> None:
    with pytest.raises(MissingAbility, match="is for a server"):
        together(local.generate(PROMPTS[0], model=model, sampling=FREE))


def test_hostile_requests_are_refused_by_name(local: LocalPolicy) -> None:
    with pytest.raises(UsageError, match="prompt is empty"):
        together(local.generate((), model="base", sampling=FREE))
    with pytest.raises(UsageError, match="score 0 tokens after 1"):
        together(local.score((1,), (), model="base"))
    with pytest.raises(UsageError, match=r"2 tokens and 99999999 more: expected at most"):
        together(local.generate((1, 2), model="base", sampling=Sampling(max_tokens=99999999)))


def test_weights_that_diverged_fail_their_own_rows_alone(
    local: LocalPolicy, small_base: PreTrainedModel, make_delta: MakeDelta
) -> None:
    bad = make_delta(small_base, seed=3)
    local.adapters.put("bad", bad)
    for module in bad.values():
        module.up_OR.fill_(float("nan"))

    async def go() -> list[Any]:
        asked = [local.generate(PROMPTS[0], model=m, sampling=FREE) for m in ("a", "bad", "b")]
        return await asyncio.gather(*asked, return_exceptions=True)

    fine, failed, also = asyncio.run(go())
    assert isinstance(failed, EngineError)
    assert "log-probability nan" in str(failed)
    assert {type(fine), type(also)} == {Generation}


def test_messages_are_rendered_by_the_template(
    local: LocalPolicy, tokenizer: PreTrainedTokenizerBase
) -> None:
    hi = [{"role": "user", "content": "for the picnic: b c"}]
    (answer,) = together(local.generate(hi, model="base", sampling=FREE))
    text = tokenizer.apply_chat_template(hi, tokenize=False, add_generation_prompt=True)
    assert tokenizer.decode(list(answer.prompt_ids)) == text
