"""Log-probabilities of two engines, compared token by token; the control must fail."""

import asyncio
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skillweave.adapters.errors import AdapterRefused, EngineError
from skillweave.distill.agreement import (
    BAR_MAX_ABS,
    Agreement,
    differences,
    local_logprobs,
    served_logprobs,
)
from skillweave.distill.learning.sft import SftSettings, train_lora
from skillweave.distill.rendering import TokenRow
from transformers import PreTrainedModel

from .scripted_teacher import Answer, Body, ScriptedTeacher

ROWS = [
    TokenRow((1, 5, 7, 8), (False, False, True, True)),
    TokenRow((1, 6, 9), (False, False, True)),
]
LOGPS = st.lists(st.lists(st.floats(-20, 0), min_size=1, max_size=4), min_size=1, max_size=4)


def test_differences_by_hand() -> None:
    seen = differences([[-1.0, -2.0], [-3.0]], [[-1.5, -2.0], [-2.0]])
    assert seen == Agreement(tokens=3, max_abs=1.0, mean_abs=0.5)


@given(LOGPS, st.floats(-1, 1))
def test_laws(ours: list[list[float]], shift: float) -> None:
    theirs = [[value + shift for value in row] for row in ours]
    num = sum(len(row) for row in ours)
    assert differences(ours, ours) == Agreement(num, 0.0, 0.0)
    assert differences(ours, theirs) == differences(theirs, ours)
    assert differences(ours, theirs).max_abs == pytest.approx(abs(shift), abs=1e-9)
    assert differences(ours, theirs).mean_abs == pytest.approx(abs(shift), abs=1e-9)


@pytest.mark.parametrize("theirs", [[[-1.0]], [[-1.0, -2.0], [-3.0]], []])
def test_sides_of_different_length_cannot_be_compared(theirs: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="zip"):
        differences([[-1.0, -2.0]], theirs)


def test_nothing_and_no_number_cannot_be_compared() -> None:
    """`max` passes over a NaN, so a broken engine would meet the bar."""
    with pytest.raises(ValueError, match="0 answer tokens"):
        differences([[]], [[]])
    for odd in (float("nan"), float("-inf")):
        for ours, theirs in ([[-1.0, odd]], [[-1.0, -2.0]]), ([[-1.0, -2.0]], [[-1.0, odd]]):
            with pytest.raises(EngineError, match="cannot be compared, expected finite numbers"):
                differences(ours, theirs)


@pytest.fixture
def adapter(small_base: PreTrainedModel, tmp_path: Path) -> Path:
    rows = [TokenRow((1, 5, 7, 8), (False, False, True, True))] * 8
    settings = SftSettings(rank=2, epochs=6, batch_rows=8, rate=0.05)
    train_lora(small_base, rows, settings=settings, seed=0, out=tmp_path, base_name="b", pad=0)
    return tmp_path


def test_local_log_probabilities_are_those_of_the_answer_tokens(
    small_base: PreTrainedModel,
) -> None:
    found = local_logprobs(small_base, None, ROWS)
    assert [len(row) for row in found] == [2, 1]
    with torch.no_grad():
        logp = small_base(input_ids=torch.tensor([[1, 5, 7, 8]])).logits[0].log_softmax(-1)
    assert found[0] == pytest.approx([float(logp[1, 7]), float(logp[2, 8])], rel=1e-6)


def test_an_adapter_counts_and_leaves_the_base_as_it_was(
    small_base: PreTrainedModel, adapter: Path
) -> None:
    before = local_logprobs(small_base, None, ROWS)
    adapted = local_logprobs(small_base, adapter, ROWS)
    assert differences(before, adapted).mean_abs > 0.1
    assert differences(before, local_logprobs(small_base, None, ROWS)).max_abs == 0.0
    assert differences(adapted, local_logprobs(small_base, adapter, ROWS)).max_abs == 0.0


def test_what_no_engine_would_load_is_not_loaded_here_either(
    small_base: PreTrainedModel, adapter: Path
) -> None:
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    with pytest.raises(AdapterRefused, match="bad_weights_file"):
        local_logprobs(small_base, adapter, ROWS)


def entries(model: PreTrainedModel, ids: list[int]) -> list[object]:
    """Prompt log-probabilities of a server that computes like vLLM."""
    with torch.no_grad():
        logp = model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
    told = [{str(i): {"logprob": float(logp[t, i]), "rank": 1}} for t, i in enumerate(ids[1:])]
    return [None, *told]


def test_a_server_that_computes_the_same_agrees_and_a_wrong_adapter_does_not(
    small_base: PreTrainedModel, adapter: Path
) -> None:
    def script(body: Body) -> Answer:
        ids = body["prompt"]
        assert isinstance(ids, list)
        assert body["prompt_logprobs"] == 0
        return Answer("x", logprobs=entries(small_base, ids))

    with ScriptedTeacher(script) as engine:
        served = asyncio.run(served_logprobs(engine.url, "a@1", ROWS))
    assert [body["model"] for body in engine.requests] == ["a@1"] * 2
    right = differences(served, local_logprobs(small_base, None, ROWS))
    wrong = differences(served, local_logprobs(small_base, adapter, ROWS))
    assert right.max_abs < BAR_MAX_ABS
    assert wrong.mean_abs > 0.1


@pytest.mark.parametrize("logprobs", [None, [], [None]])
def test_an_engine_that_tells_none_is_refused(logprobs: list[object] | None) -> None:
    with (
        ScriptedTeacher(lambda body: Answer("x", logprobs=logprobs)) as engine,
        pytest.raises(EngineError, match=r"gave [01] prompt log-probabilities for 4 tokens of 'a'"),
    ):
        asyncio.run(served_logprobs(engine.url, "a", ROWS))
