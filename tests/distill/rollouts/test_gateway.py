"""The served policy: what is said on the wire, what of the reply is believed, what is refused."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from skillweave.adapters.base.identity import identify_base
from skillweave.adapters.card import Card, Frame
from skillweave.adapters.errors import EngineError, MissingAbility
from skillweave.adapters.store.store import Store
from skillweave.distill.rollouts import Sampling
from skillweave.distill.rollouts.gateway import GatewayPolicy
from skillweave.distill.rollouts.policy import Generation, Prompt, Score
from skillweave.server.config import ServeConfig
from skillweave.server.running import Running, serve_in_background
from transformers import PreTrainedTokenizerBase

from ...one_module import make_adapter, make_base
from ..scripted_teacher import Raw, ScriptedTeacher, broken

IDS = (1, 30, 31)
HI = [{"role": "user", "content": "for the picnic: b c"}]
HOT = Sampling(temperature=1.0, max_tokens=6, seed=11)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The whole server with the stand-in of an engine, and an adapter `loud` in its store."""
    home = tmp_path_factory.mktemp("gateway")
    base = make_base(home / "base")
    identity = identify_base(base, cache_dir=home / "hashes")
    store = Store(home / "store")
    card = Card(kind="skill", base=identity.for_card())
    for seed in (1, 2):
        folder = make_adapter(home / f"loud-{seed}", seed=seed)
        store.put(folder, card=card, name="loud", base=identity)
    with serve_in_background(
        ServeConfig(base=str(base), store=store.root, port=0, engine="fake")
    ) as running:
        yield running


def ask(
    url: str, tokenizer: PreTrainedTokenizerBase, prompt: Prompt, **how: Any
) -> tuple[Generation, ...]:
    async def go() -> tuple[Generation, ...]:
        async with GatewayPolicy(url, tokenizer) as policy:
            return await policy.sample(prompt, **{"model": "base", "sampling": HOT, **how})

    return asyncio.run(go())


def score(url: str, tokenizer: PreTrainedTokenizerBase, **how: bool) -> Score:
    async def go() -> Score:
        async with GatewayPolicy(url, tokenizer) as policy:
            return await policy.score((1, 5), (7, 8), model="loud", **how)

    return asyncio.run(go())


def test_ids_go_in_and_come_out_under_the_version_that_answered(
    server: Running, tokenizer: PreTrainedTokenizerBase
) -> None:
    (base,) = ask(server.url, tokenizer, IDS)
    (first,) = ask(server.url, tokenizer, IDS, model="loud@1")
    (second,) = ask(server.url, tokenizer, IDS, model="loud@2")
    assert base.policy_version == ""
    assert (first.policy_version, second.policy_version) == ("1", "2")
    told = [ask(server.url, tokenizer, HI, model=m)[0].text for m in ("base", "loud@1", "loud@2")]
    assert len(set(told)) == 3, "the stand-in marks its words by the adapter's bytes"
    for one in (base, first, second):
        assert one.prompt_ids == IDS
        assert one.ids == tuple(range(one.tokens_out))
        assert one.logprobs == (-0.5,) * one.tokens_out
        assert (one.tokens_in, one.finish_reason) == (3, "stop")


def test_a_conversation_is_rendered_by_the_engine_which_tells_its_ids(
    server: Running, tokenizer: PreTrainedTokenizerBase
) -> None:
    frame = Frame(system="be exact", template_args={"enable_thinking": False})
    (one,) = ask(server.url, tokenizer, HI, frame=frame, sampling=Sampling(max_tokens=40))
    assert one.prompt_ids == tuple(range(7))
    assert "be exact for the picnic: b c" in one.text
    assert "enable_thinking" in one.text
    assert one.logprobs == (-0.5,) * len(one.ids)


def test_several_answers_are_several(server: Running, tokenizer: PreTrainedTokenizerBase) -> None:
    for prompt in (IDS, HI):
        three = ask(server.url, tokenizer, prompt, sampling=Sampling(1.0, 6, 1, n=3))
        assert len(three) == 3


def test_an_unknown_adapter_is_an_engine_error_that_names_it(
    server: Running, tokenizer: PreTrainedTokenizerBase
) -> None:
    with pytest.raises(EngineError, match=r"did not answer for model 'quiet'.*quiet"):
        ask(server.url, tokenizer, IDS, model="quiet")


def test_an_engine_that_scores_nothing_is_refused(
    server: Running, tokenizer: PreTrainedTokenizerBase
) -> None:
    with pytest.raises(EngineError, match="scores 0 of 2 tokens; the engine must be vLLM"):
        score(server.url, tokenizer)
    with pytest.raises(MissingAbility, match=r"policy at http.* has no entropy"):
        score(server.url, tokenizer, entropy=True)


def reply(*choices: object, **more: object) -> Raw:
    return Raw(body=json.dumps({"choices": list(choices), **more}))


def choice(**change: object) -> dict[str, object]:
    told = {"tokens": ["a", "b"], "token_logprobs": [-1.0, -2.0]}
    fine = {"index": 0, "text": "a b", "finish_reason": "length"}
    return {**fine, "token_ids": [7, 8], "logprobs": told, "prompt_token_ids": [*IDS], **change}


def test_all_that_decides_a_draw_is_said(tokenizer: PreTrainedTokenizerBase) -> None:
    """What is left out, vLLM takes from the base's generation config."""
    how = Sampling(0.7, 9, 3, top_p=0.9, top_k=4, stop=("end",))
    with ScriptedTeacher(lambda body: reply(choice())) as engine:
        (one,) = ask(engine.url, tokenizer, IDS, model="loud@2", sampling=how)
        ask(engine.url, tokenizer, IDS)
    first, second = engine.requests
    said = {"model": "loud@2", "prompt": [*IDS], "temperature": 0.7, "max_tokens": 9, "seed": 3}
    said |= {"top_p": 0.9, "top_k": 4, "stop": ["end"], "n": 1, "return_token_ids": True}
    assert {**first, **said} == first
    neutral = {"top_p": 1.0, "top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0}
    assert {**second, **neutral} == second
    assert (one.ids, one.logprobs) == ((7, 8), (-1.0, -2.0))
    assert one.finish_reason == "length"


def test_the_text_of_an_answer_to_ids_is_that_of_its_ids(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    """After a prompt that ends within a character, vLLM tells the prompt's text as well."""
    drawn = [*tokenizer.encode("final: b c end of it"), 2]
    told = {"token_logprobs": [-1.0] * len(drawn)}
    fine = choice(text="prompt and final: b c", token_ids=drawn, logprobs=told)
    with ScriptedTeacher(lambda body: reply(fine)) as engine:
        (whole,) = ask(engine.url, tokenizer, IDS)
        (stopped,) = ask(
            engine.url, tokenizer, IDS, sampling=Sampling(max_tokens=9, stop=(" end",))
        )
    assert (whole.text, stopped.text) == ("final: b c end of it", "final: b c")
    assert whole.ids == stopped.ids == tuple(drawn)


@pytest.mark.parametrize(
    ("broken_reply", "complaint"),
    [
        (reply(), "holds 0 answers, expected 1"),
        (reply(choice(token_ids=None)), "tells 0 token ids and 2 log-probabilities"),
        (reply(choice(logprobs=None)), "tells 2 token ids and 0 log-probabilities"),
        (reply(choice(token_ids=[7])), "tells 1 token ids and 2 log-probabilities"),
        (reply(choice(logprobs={"token_logprobs": [-1.0, None]})), "log-probability None"),
        (reply(choice(prompt_token_ids=[1, 30])), "read 2 prompt tokens that are not the 3 sent"),
        (Raw(body="<html>"), "is not JSON: <html>"),
        (Raw(body="[]"), "is no object"),
        (broken("no weights"), r"did not answer for model 'base'.*no weights"),
    ],
)
def test_half_a_reply_is_an_error_not_half_a_rollout(
    tokenizer: PreTrainedTokenizerBase, broken_reply: Raw, complaint: str
) -> None:
    with (
        ScriptedTeacher(lambda body: broken_reply) as engine,
        pytest.raises(EngineError, match=complaint),
    ):
        ask(engine.url, tokenizer, IDS)


def test_a_conversation_whose_ids_nobody_tells_is_no_rollout(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    """Without them the answer would be learned as if nothing had stood before it."""
    told = choice(logprobs={"content": [{"logprob": -1.0}, {"logprob": -2.0}]})
    told.pop("prompt_token_ids", None)
    with (
        ScriptedTeacher(lambda body: reply(told)) as engine,
        pytest.raises(EngineError, match="tells no prompt token ids"),
    ):
        ask(engine.url, tokenizer, [{"role": "user", "content": "x"}])


def test_given_tokens_are_scored_as_the_end_of_a_prompt(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    told = [None, *({str(one): {"logprob": -one / 10}} for one in (5, 7, 8))]
    with ScriptedTeacher(lambda body: reply(choice(prompt_logprobs=told))) as engine:
        assert score(engine.url, tokenizer).logprobs == (-0.7, -0.8)
    (body,) = engine.requests
    assert (body["prompt"], body["prompt_logprobs"]) == ([1, 5, 7, 8], 0)


@pytest.mark.parametrize("told", [None, [], [None, {"5": {"logprob": -1.0}}]])
def test_scores_that_are_missing_are_an_error(
    tokenizer: PreTrainedTokenizerBase, told: object
) -> None:
    with (
        ScriptedTeacher(lambda body: reply(choice(prompt_logprobs=told))) as engine,
        pytest.raises(EngineError, match=r"scores [01] of 2 tokens|log-probability None"),
    ):
        score(engine.url, tokenizer)
