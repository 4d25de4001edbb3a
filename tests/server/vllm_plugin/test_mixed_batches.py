"""On the real engine, every slot taken: a base answer is the same alone and in company."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from skillweave.adapters import Card, Store, identify_base
from skillweave.distill.policy import Sampling, ServedPolicy
from skillweave.distill.serving import Served, ServePlan, admin
from skillweave.distill.sft import load_base
from skillweave.distill.tiny_base import tiny_base_path
from skillweave.distill.tiny_base.gates import gate_items
from skillweave.scripts.launching import launcher

pytestmark = pytest.mark.vllm

NUM_ADAPTERS = 2


def loud_adapter(folder: Path, seed: int) -> Path:
    """A random adapter that changes every answer."""
    torch.manual_seed(seed)
    model = get_peft_model(
        load_base(tiny_base_path()),
        LoraConfig(r=8, lora_alpha=64, target_modules=["q_proj", "o_proj", "down_proj"]),
    )
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(str(folder), save_embedding_layers=False)
    return folder


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    work = tmp_path_factory.mktemp("mixed")
    base = tiny_base_path()
    identity = identify_base(base)
    store = Store(work / "store")
    card = Card(kind="skill", base=identity.for_card(name="tiny"), licence="Apache-2.0")
    for number in range(NUM_ADAPTERS):
        folder = loud_adapter(work / f"adapter-{number}", number)
        store.put(folder, card=card, name=f"loud-{number}", base=identity)
    plan = ServePlan(base, store.root, rank=8, slots=NUM_ADAPTERS)
    with launcher()(plan) as server:
        for number in range(NUM_ADAPTERS):
            admin(server, "publish", {"ref": f"loud-{number}@1"})
        yield server


def answers(
    served: Served, models: list[str], conversations: list[list[dict[str, str]]]
) -> list[str]:
    async def ask() -> list[str]:
        async with ServedPolicy(served.url) as policy:
            found = await asyncio.gather(
                *(
                    policy.complete(turns, model=model, sampling=Sampling(max_tokens=40))
                    for turns, model in zip(conversations, models, strict=True)
                )
            )
        return [one.text for one in found]

    return asyncio.run(ask())


def test_base_answers_do_not_depend_on_who_else_is_in_the_batch(served: Served) -> None:
    turns = [
        [{"role": "system", "content": item.body}, {"role": "user", "content": item.request}]
        for item in gate_items(2, 12, seed=11)
    ]
    alone = answers(served, ["base"] * len(turns), turns)
    loud = [f"loud-{index % NUM_ADAPTERS}" for index in range(len(turns))]
    mixed = answers(served, ["base"] * len(turns) + loud, turns + turns)
    assert mixed[: len(turns)] == alone
    assert all(noisy != quiet for noisy, quiet in zip(mixed[len(turns) :], alone, strict=True))
