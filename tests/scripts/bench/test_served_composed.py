"""Composed adapters: against peft's sum in the graph, and as real vLLM serves them."""

from pathlib import Path

import pytest
import torch
from skillweave.distill.agreement import BAR_MAX_ABS, BAR_WRONG_MEAN_ABS
from skillweave.scripts.bench.peft_sum import branch_logits
from skillweave.scripts.bench.served import BAR_LOGITS, logit_rows, served_rows, terms_of
from skillweave.scripts.bench.served_mixes import MIXES, RANKS, Kept, make_kept, token_rows
from skillweave.scripts.launching import launcher
from transformers import AutoModelForCausalLM, PreTrainedModel


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return make_kept(tmp_path_factory.mktemp("served"))


@pytest.fixture
def base(kept: Kept) -> PreTrainedModel:
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(kept.base, dtype=torch.float32)
    return model


def test_the_mixes_hold_what_the_bars_are_about(kept: Kept) -> None:
    exact = next(mix for mix in MIXES if mix.exact)
    assert len(set(RANKS.values())) == len(RANKS)  # mixed ranks
    assert min(weight for _, weight in terms_of(kept, exact)) < 0  # a negative weight
    assert {mix.method for mix in MIXES} >= {"linear", "ties"}
    assert kept.errors["exact"] == 0 < min(kept.errors["truncated"], kept.errors["ties"])
    assert kept.rank == sum(RANKS.values())


def test_the_concatenated_adapter_is_the_sum_in_the_graph(kept: Kept) -> None:
    row, noise = logit_rows(kept)
    assert row.equal
    assert row.ours is not None
    assert row.theirs is not None
    # In float32 one rounding of the largest logit is 2e-6; the bar itself is for the bench to hold.
    assert row.value < 3 * BAR_LOGITS
    assert float(str(row.ours["from_base"])) > 0.5
    # Another order of the same branches rounds differently; it is told beside, and has no bar.
    assert 0 < noise.value < 3 * BAR_LOGITS
    assert (noise.op, noise.bar, noise.n) == (None, None, row.n)


@pytest.mark.slow
def test_another_weight_is_seen_by_the_same_comparison(kept: Kept, base: PreTrainedModel) -> None:
    exact = next(mix for mix in MIXES if mix.exact)
    (first, weight), *rest = terms_of(kept, exact)
    ids = [row.ids for row in token_rows()]
    right = branch_logits(base, [(first, weight), *rest], ids)
    off = branch_logits(base, [(first, weight + 0.01), *rest], ids)
    gap = max(float((a - b).abs().max()) for a, b in zip(right, off, strict=True))
    assert gap > 100 * BAR_LOGITS


@pytest.mark.slow
def test_branches_leave_the_base_as_it_was(kept: Kept, base: PreTrainedModel) -> None:
    ids = [row.ids for row in token_rows()][:1]
    before = branch_logits(base, [], ids)[0]
    branch_logits(base, [(kept.terms["a"].path, 1.0), (kept.terms["b"].path, 2.0)], ids)
    assert torch.equal(branch_logits(base, [], ids)[0], before)


@pytest.mark.vllm
def test_vllm_serves_what_was_composed(kept: Kept, tmp_path: Path) -> None:
    rows = served_rows(kept, launcher(log_dir=tmp_path / "logs"))
    assert len(rows) == 2 * len(MIXES)
    for right, control in zip(rows[::2], rows[1::2], strict=True):
        assert right.value <= BAR_MAX_ABS, right.document()
        assert control.value > BAR_WRONG_MEAN_ABS, control.document()
        assert right.n == control.n >= 40
