"""A slice of the Skill-to-LoRA exam on the shipped base and the real engine, with a fixed seed.

What is stated: the whole path runs, every arm answers every item, and the engine computes what was
trained. How well the adapters do is reported by the exam, not asserted here.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import openai
import pytest
from skillweave.adapters import Frame, Store, Version
from skillweave.distill.agreement import (
    BAR_MAX_ABS,
    BAR_WRONG_MEAN_ABS,
    differences,
    local_logprobs,
    served_logprobs,
)
from skillweave.distill.evaluation import RecipeVerdict
from skillweave.distill.learning.sft import load_base
from skillweave.distill.recipes import RecipeContext, recipe_table, verdict_of
from skillweave.distill.recipes.s2l import S2L
from skillweave.distill.rendering import TokenRow, prompt_ids, token_row
from skillweave.distill.serving import Served, ServePlan, admin
from skillweave.distill.tiny_base import tiny_base_path
from skillweave.distill.tiny_base.export import load_tokenizer
from skillweave.scripts.launching import launcher

pytestmark = pytest.mark.vllm

SLICE = S2L(levels=(1, 2), num_requests=40, preflight_requests=8, num_items=12)


@dataclass(frozen=True)
class Run:
    verdict: RecipeVerdict
    store: Store

    def rows(self, version: Version) -> list[TokenRow]:
        assert version.card.data_digest is not None
        kept = self.store.get_rows(version.card.data_digest)[:4]
        tokenizer = load_tokenizer(tiny_base_path())
        return [token_row(tokenizer, row["messages"], Frame()) for row in kept]  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    work = tmp_path_factory.mktemp("s2l")
    context = RecipeContext(
        base=tiny_base_path(), store=Store(work / "store"), work=work, seed=7, launch=launcher()
    )
    return Run(verdict_of("s2l", recipe_table()["s2l"], SLICE, context), context.store)


@pytest.fixture(scope="module")
def served(run: Run) -> Iterator[Served]:
    plan = ServePlan(tiny_base_path(), run.store.root, rank=16, slots=2)
    with launcher()(plan) as server:
        for version in run.store.list():
            admin(server, "publish", {"ref": version.ref})
        yield server


def test_every_core_arm_answers_every_item(run: Run) -> None:
    assert set(run.verdict.arms) == {"none", "text", "s2l", "wrong"}
    assert {figure.n for figure in run.verdict.arms.values()} == {2 * SLICE.num_items}
    assert {figure.failures for figure in run.verdict.arms.values()} == {0}
    assert run.verdict.status in ("works", "not-shown", "absent-phenomenon")


def test_the_text_costs_prompt_tokens_that_the_adapter_saves(run: Run) -> None:
    arms = run.verdict.arms
    assert arms["s2l"].tokens.prompt == arms["none"].tokens.prompt < arms["text"].tokens.prompt


def test_adapters_are_stored_with_their_rows_and_pass_fsck(run: Run) -> None:
    versions = run.store.list()
    assert len(versions) == 2
    assert all(run.rows(version) for version in versions)
    assert run.store.fsck() == []


def test_the_engine_computes_what_was_trained_and_a_wrong_adapter_shows(
    run: Run, served: Served
) -> None:
    base = load_base(tiny_base_path())
    one, other = run.store.list()
    rows = run.rows(one)
    told = asyncio.run(served_logprobs(served.url, one.ref, rows))
    assert differences(told, local_logprobs(base, one.path, rows)).max_abs < BAR_MAX_ABS
    wrong = differences(told, local_logprobs(base, other.path, rows))
    assert wrong.mean_abs > BAR_WRONG_MEAN_ABS


def test_the_prompt_is_tokenised_as_in_training(run: Run, served: Served) -> None:
    messages = [{"role": "user", "content": "for the picnic: b c d"}]
    client = openai.OpenAI(base_url=served.url, api_key="unused")
    reply = client.chat.completions.create(
        model=run.store.list()[0].ref,
        messages=messages,  # type: ignore[arg-type]
        max_tokens=4,
        extra_body={"return_token_ids": True},
    )
    expected = prompt_ids(load_tokenizer(tiny_base_path()), messages, Frame())
    assert reply.model_extra is not None
    assert reply.model_extra["prompt_token_ids"] == expected
