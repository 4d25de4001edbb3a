"""The gates of the base: their items, and how a local model is asked."""

import pytest
import torch
from skillweave.distill.tiny_base.gates import (
    BARS,
    NO_TEXT_BAR,
    gate_items,
    greedy_answers,
    measure_gates,
)
from skillweave.distill.worlds.string_skills import SkillSpec, is_held_out
from transformers import PreTrainedModel, PreTrainedTokenizerBase, Qwen3ForCausalLM

from ..reading import formats_in, operations_in


def test_the_bars_are_those_written_before_the_run() -> None:
    assert BARS == {"text_1": 0.85, "text_2": 0.85, "text_3": 0.75}
    assert NO_TEXT_BAR == 0.10


@pytest.mark.parametrize("num_steps", [1, 2, 3])
def test_items_are_drawn_by_seed(num_steps: int) -> None:
    items = gate_items(num_steps, 30, seed=1)
    assert items == gate_items(num_steps, 30, seed=1)
    assert items[:10] == gate_items(num_steps, 10, seed=1)
    assert items != gate_items(num_steps, 30, seed=2)
    assert len({item.body for item in items}) > 25


@pytest.mark.parametrize("num_steps", [1, 2, 3])
def test_items_are_held_out_and_complete(num_steps: int) -> None:
    for item in gate_items(num_steps, 60, seed=1):
        (form,) = formats_in(item.body)
        spec = SkillSpec(operations_in(item.body), form, "picnic")
        assert len(spec.operations) == num_steps
        assert is_held_out(spec)
        items = tuple(item.request.replace("?", ":").rsplit(":", 1)[1].split())
        assert item.expected == spec.final(items)


def test_answers_come_in_order_and_do_not_depend_on_the_batch(
    small_base: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    chats = [
        [{"role": "user", "content": text}]
        for text in ("b", "b c d f g h j k l m", "for the picnic: b c", "c")
    ]
    torch.manual_seed(0)
    with torch.no_grad():  # the first weights of a model are too small to tell requests apart
        for weights in small_base.parameters():
            weights.normal_()
    alone = [greedy_answers(small_base, tokenizer, [chat], max_new_tokens=6)[0] for chat in chats]
    assert len(set(alone)) > 1
    for batch in (2, 4):
        assert alone == greedy_answers(small_base, tokenizer, chats, batch=batch, max_new_tokens=6)


@pytest.mark.slow
def test_a_base_that_learned_nothing_fails_every_gate(
    small_model: Qwen3ForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    small_model.eval()
    seen = measure_gates(small_model, tokenizer, seed=0, num_items=2)
    assert seen == {"text_1": 0.0, "text_2": 0.0, "text_3": 0.0, "no_text": 0.0}
