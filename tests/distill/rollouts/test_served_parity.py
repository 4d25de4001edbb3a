"""The shipped base with one adapter, on both backends: vLLM behind the gateway, and torch here.

The control is another model: a comparison that it passes as well says nothing.
"""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import pytest
import torch
from skillweave.adapters.base.identity import identify_base
from skillweave.adapters.card import Card, Frame
from skillweave.adapters.delta import Delta
from skillweave.adapters.peft_folder.deltas import write_peft
from skillweave.adapters.store.store import Store
from skillweave.distill.learning.sft import load_base
from skillweave.distill.rollouts import Sampling, Trajectory
from skillweave.distill.rollouts.gateway import GatewayPolicy
from skillweave.distill.rollouts.local import LocalPolicy
from skillweave.distill.rollouts.play import play_all
from skillweave.distill.rollouts.policy import Generation, Score, TokenPolicy
from skillweave.distill.serving import Served, ServePlan
from skillweave.distill.tiny_base import tiny_base_path
from skillweave.distill.tiny_base.export import load_tokenizer
from skillweave.distill.worlds.string_skills import draw_tasks, held_out_specs
from skillweave.scripts.launching import launcher
from torch import nn
from transformers import PreTrainedTokenizerBase

from .counting import CountTask

pytestmark = pytest.mark.vllm

BAR = 1e-4
GREEDY = Sampling(max_tokens=16)
FREE = Sampling(temperature=1.0, max_tokens=16, seed=5)
MODELS = ("base", "loud@1")
Told = TypeVar("Told", covariant=True)
Made = TypeVar("Made")


class Ask(Protocol[Told]):
    def __call__(self, policy: TokenPolicy, /) -> Awaitable[Told]: ...


@dataclass(frozen=True)
class Scene:
    served: Served
    local: LocalPolicy
    tokenizer: PreTrainedTokenizerBase
    prompts: Sequence[tuple[int, ...]]

    def both(self, ask: Ask[Made]) -> tuple[Made, Made]:
        """What the served policy says and what the local one does."""

        async def go() -> tuple[Made, Made]:
            async with GatewayPolicy(self.served.url, self.tokenizer) as served:
                return await ask(served), await ask(self.local)

        return asyncio.run(go())


def loud_adapter(folder: Path) -> Path:
    """A random adapter of rank 4 on every linear module of the shipped base's layers."""
    generator = torch.Generator().manual_seed(1)
    linear = {n: m for n, m in load_base(tiny_base_path()).named_modules() if "layers" in n}
    delta = {
        name: Delta(
            torch.randn(4, m.in_features, generator=generator) / m.in_features**0.5,
            torch.randn(m.out_features, 4, generator=generator) * 0.5,
            1.0,
        )
        for name, m in linear.items()
        if isinstance(m, nn.Linear)
    }
    write_peft(delta, folder)
    return folder


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    torch.set_num_threads(1)
    home = tmp_path_factory.mktemp("parity")
    folder = loud_adapter(home / "loud")
    identity = identify_base(tiny_base_path(), cache_dir=home / "hashes")
    store = Store(home / "store")
    store.put(folder, card=Card(kind="skill", base=identity.for_card()), name="loud", base=identity)
    tokenizer = load_tokenizer(tiny_base_path())
    local = LocalPolicy(load_base(tiny_base_path()), tokenizer)
    local.adapters.load("loud@1", folder, version="1")
    spec = held_out_specs(0)[0]
    tasks = draw_tasks(spec, family="f", split="dev", num_tasks=3, seed=0)
    prompts = [local.renderer.opening(task.messages, Frame()) for task in tasks]
    prompts.append(tuple(20 + (7 * place) % 300 for place in range(290)))
    with launcher()(ServePlan(tiny_base_path(), store.root, rank=4, slots=2)) as served:
        yield Scene(served, local, tokenizer, prompts)


def gap(ours: Sequence[float] | None, theirs: Sequence[float] | None) -> float:
    assert ours is not None
    assert theirs is not None
    return max(abs(a - b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("model", MODELS)
def test_greedy_answers_and_their_log_probabilities_are_the_same(scene: Scene, model: str) -> None:
    async def ask(policy: TokenPolicy) -> list[Generation]:
        asked = [policy.generate(p, model=model, sampling=GREEDY) for p in scene.prompts]
        return await asyncio.gather(*asked)

    served, local = scene.both(ask)
    gaps = [gap(a.logprobs, b.logprobs) for a, b in zip(served, local, strict=True)]
    print(f"greedy {model}: largest gap {max(gaps):.2e}")
    for ours, theirs in zip(local, served, strict=True):
        assert ours.ids == theirs.ids
        assert ours.text == theirs.text
        assert ours.finish_reason == theirs.finish_reason
        assert ours.policy_version == theirs.policy_version == model.partition("@")[2]
    assert max(gaps) < BAR


@pytest.mark.parametrize("model", MODELS)
def test_what_one_draws_the_other_scores_the_same(scene: Scene, model: str) -> None:
    """Raw log-probabilities of sampled tokens; under the other model they are far off."""

    async def draw(policy: TokenPolicy) -> list[Generation]:
        asked = [policy.generate(p, model=model, sampling=FREE) for p in scene.prompts]
        return await asyncio.gather(*asked)

    drawn = [one for side in scene.both(draw) for one in side]
    other = MODELS[MODELS.index(model) - 1]

    async def score(policy: TokenPolicy) -> list[list[Score]]:
        return [
            await asyncio.gather(*(policy.score(a.prompt_ids, a.ids, model=m) for a in drawn))
            for m in (model, other)
        ]

    (served, _), (local, wrong) = scene.both(score)
    between = [gap(a.logprobs, b.logprobs) for a, b in zip(served, local, strict=True)]
    told = [gap(a.logprobs, b.logprobs) for a, b in zip(drawn, local, strict=True)]
    pairs = [(p, q) for a, b in zip(drawn, wrong, strict=True)
             for p, q in zip(a.logprobs or (), b.logprobs, strict=True)]  # fmt: skip
    apart = sum(abs(p - q) for p, q in pairs) / len(pairs)
    print(f"sampled {model}: {max(told):.2e}, scored {max(between):.2e}, control {apart:.2f}")
    assert max(*told, *between) < BAR
    assert apart > 0.1


def test_episodes_are_the_same_token_by_token(scene: Scene) -> None:
    async def go(policy: TokenPolicy) -> list[Trajectory]:
        tasks = [CountTask(2), CountTask(5)]
        return await play_all(policy, tasks, run="r", model="loud@1", sampling=GREEDY, max_turns=3)

    for ours, theirs in zip(*scene.both(go), strict=True):
        assert ours.error == theirs.error == ""
        assert len(ours.turns) == 3
        assert ours.ids == theirs.ids
        assert (ours.tokens_in, ours.tokens_out) == (theirs.tokens_in, theirs.tokens_out)
        for a, b in zip(ours.turns, theirs.turns, strict=True):
            assert gap(a.spans[-1].logprobs, b.spans[-1].logprobs) < BAR


def test_an_engine_renders_a_conversation_as_we_do(scene: Scene) -> None:
    frame = Frame(system="be exact", template_args={"enable_thinking": False})
    hi = [{"role": "user", "content": "for the picnic: b c"}]

    async def ask(policy: TokenPolicy) -> Generation:
        return await policy.generate(hi, model="loud@1", sampling=GREEDY, frame=frame)

    served, local = scene.both(ask)
    assert served.prompt_ids == local.prompt_ids
    assert served.ids == local.ids
    assert gap(served.logprobs, local.logprobs) < BAR
