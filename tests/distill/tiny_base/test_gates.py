"""The gates of the base: their bars, and how passes are counted."""

import pytest
from skillweave.distill.tiny_base import gates
from skillweave.distill.tiny_base.gates import bar, measure_gates, meets
from transformers import PreTrainedTokenizerBase, Qwen3ForCausalLM


def test_the_bars_are_those_written_before_the_run() -> None:
    assert [bar(f"string_skills.text_{steps}") for steps in (1, 2, 3)] == [0.85, 0.85, 0.75]
    assert bar("string_skills.no_text") == 0.10
    for world in ("facts", "household", "constraints", "fg"):
        assert bar(f"{world}.text_1") == bar(f"{world}.text_3") == 0.80
        assert bar(f"{world}.no_text") == 0.15
    assert bar("string_skills.author") == 0.50
    assert bar("string_skills.solver") == 0.80
    assert (gates.USABLE, gates.NUM_REQUESTS) == (3, 4)


def test_a_gate_is_met_at_its_bar_and_without_the_text_at_most_there() -> None:
    assert meets("facts.text_1", 0.80)
    assert not meets("facts.text_1", 0.79)
    assert meets("facts.no_text", 0.15)
    assert not meets("facts.no_text", 0.16)
    assert meets("string_skills.author", 0.50)


@pytest.mark.slow
def test_a_base_that_learned_nothing_fails_every_gate(
    small_model: Qwen3ForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    small_model.eval()
    seen = measure_gates(small_model, tokenizer, seed=0, num_items=1, max_answer=4)
    assert set(seen.values()) == {0.0}
    assert {name.split(".")[0] for name in seen} >= {"string_skills", "facts", "household"}
    assert {name for name in seen if meets(name, seen[name])} == {
        name for name in seen if name.endswith(".no_text")
    }
