"""Training one adapter on a tiny random base: it learns, it repeats, and the base stays."""

import hashlib
import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from skillweave.adapters.base.identity import identify_base
from skillweave.adapters.errors import UsageError
from skillweave.adapters.gate.policy import check_adapter
from skillweave.distill.learning.sft import (
    ALL_LINEAR,
    TINY_RATE,
    USUAL_RATE,
    SftResult,
    SftSettings,
    collate,
    load_base,
    token_loss,
    train_lora,
)
from skillweave.distill.rendering import TokenRow
from transformers import PreTrainedModel

FAST = SftSettings(rank=4, epochs=6, batch_rows=8, rate=1e-2)


def toy_rows(num: int = 24) -> list[TokenRow]:
    """After `1 n` the answer is always `7 8 9`."""
    return [
        TokenRow((1, 10 + n % 5, 7, 8, 9), (False, False, True, True, True)) for n in range(num)
    ]


def fit(
    base: PreTrainedModel,
    out: Path,
    *,
    rows: Sequence[TokenRow] | None = None,
    settings: SftSettings = FAST,
    seed: int = 0,
    losses: list[float] | None = None,
) -> SftResult:
    return train_lora(
        base,
        toy_rows() if rows is None else rows,
        settings=settings,
        seed=seed,
        out=out,
        base_name="small-base",
        pad=0,
        on_step=lambda step, of, loss: losses.append(loss) if losses is not None else None,
    )


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_rows_are_padded_on_the_right_and_only_answers_are_labels() -> None:
    rows = [TokenRow((5, 6, 7), (False, True, True)), TokenRow((8, 9), (False, True))]
    ids_BT, attention_BT, labels_BT = collate(rows, pad=3)
    assert ids_BT.tolist() == [[5, 6, 7], [8, 9, 3]]
    assert attention_BT.tolist() == [[1, 1, 1], [1, 1, 0]]
    assert labels_BT.tolist() == [[-100, 6, 7], [-100, 9, -100]]


def test_the_loss_is_the_negative_log_probability_of_what_is_learned(
    small_base: PreTrainedModel,
) -> None:
    rows = [TokenRow((5, 6, 7), (False, True, True)), TokenRow((8, 9), (False, True))]
    small_base.requires_grad_(False)
    loss, count = token_loss(small_base, rows, pad=0)
    by_hand = 0.0
    for row in rows:
        logp = small_base(input_ids=torch.tensor([row.ids])).logits[0].log_softmax(-1)
        by_hand -= sum(float(logp[t - 1, row.ids[t]]) for t in range(1, len(row.ids)))
    assert count == 3
    assert float(loss) == pytest.approx(by_hand, rel=1e-5)


def test_the_loss_falls_and_steps_are_reported(small_base: PreTrainedModel, tmp_path: Path) -> None:
    losses: list[float] = []
    result = fit(small_base, tmp_path, losses=losses)
    # 24 rows, a tenth of them held out: 22 in steps of 8, six times.
    assert (result.num_rows, result.num_steps, len(losses)) == (22, 18, 18)
    assert losses[-1] < 0.5 * losses[0]
    assert result.train_loss == losses[-1]
    assert result.dev_loss is not None
    assert result.dev_loss < losses[0]
    assert 1 <= result.best_epoch <= 6
    assert result.train_s > 0


def test_the_base_is_left_bit_for_bit_as_it_was(
    small_base: PreTrainedModel, small_base_dir: Path, tmp_path: Path
) -> None:
    kinds = [(name, type(module)) for name, module in small_base.named_modules()]
    before = {name: value.clone() for name, value in small_base.state_dict().items()}
    on_disk = digest(small_base_dir / "model.safetensors")
    fit(small_base, tmp_path)
    assert [(name, type(module)) for name, module in small_base.named_modules()] == kinds
    assert small_base.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[n]) for n, value in small_base.state_dict().items())
    assert digest(small_base_dir / "model.safetensors") == on_disk
    assert not hasattr(small_base, "peft_config")


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_adapter(
    small_base: PreTrainedModel, tmp_path: Path
) -> None:
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        fit(small_base, tmp_path / name, seed=seed)
    for file in ("adapter_model.safetensors", "adapter_config.json"):
        assert digest(tmp_path / "one" / file) == digest(tmp_path / "again" / file)
    weights = "adapter_model.safetensors"
    assert digest(tmp_path / "one" / weights) != digest(tmp_path / "other" / weights)


def test_the_folder_passes_the_gate_and_names_no_local_path(
    small_base: PreTrainedModel, small_base_dir: Path, tmp_path: Path
) -> None:
    fit(small_base, tmp_path / "adapter")
    base = identify_base(small_base_dir, cache_dir=tmp_path / "hashes")
    assert check_adapter(tmp_path / "adapter", base) == ()
    text = (tmp_path / "adapter" / "adapter_config.json").read_text()
    config = json.loads(text)
    assert config["base_model_name_or_path"] == "small-base"
    assert config["target_modules"] == sorted(ALL_LINEAR)
    assert (config["r"], config["lora_alpha"]) == (4, 32.0)
    assert str(small_base_dir) not in text


def test_the_best_epoch_is_what_is_saved(small_base: PreTrainedModel, tmp_path: Path) -> None:
    """Noise can be learned by heart only: the held-out loss rises while the other falls."""
    rng = random.Random(1)
    rows = [TokenRow((1, 10 + n, rng.randrange(3000)), (False, False, True)) for n in range(40)]
    wild = SftSettings(rank=8, epochs=8, batch_rows=4, rate=0.05, dev_share=0.25)
    result = fit(small_base, tmp_path, rows=rows, settings=wild)
    assert result.best_epoch < 7
    # 30 rows in steps of 4; one epoch after the best is run, and no other.
    assert result.num_steps == 8 * (result.best_epoch + 1)
    shuffled = list(rows)
    random.Random(0).shuffle(shuffled)
    model = PeftModel.from_pretrained(small_base, str(tmp_path))
    with torch.no_grad():
        loss, count = token_loss(model, shuffled[:10], pad=0)
    assert float(loss) / count == pytest.approx(result.dev_loss, rel=1e-3)


def test_few_rows_are_trained_on_whole(small_base: PreTrainedModel, tmp_path: Path) -> None:
    result = fit(small_base, tmp_path, rows=toy_rows(2))
    assert (result.num_rows, result.dev_loss, result.best_epoch) == (2, None, 6)


@pytest.mark.parametrize("num", [0, 1])
def test_fewer_than_two_rows_are_refused(
    small_base: PreTrainedModel, tmp_path: Path, num: int
) -> None:
    with pytest.raises(UsageError, match=rf"got {num} training rows, expected at least 2"):
        fit(small_base, tmp_path, rows=toy_rows(num))
    assert list(tmp_path.iterdir()) == []


def test_the_rate_suits_the_base_unless_one_is_given() -> None:
    assert SftSettings().on(tiny=True).rate == TINY_RATE
    assert SftSettings().on(tiny=False).rate == USUAL_RATE
    assert SftSettings(rate=0.5).on(tiny=True) == SftSettings(rate=0.5)


def test_settings_refuse_what_makes_no_sense() -> None:
    for wrong in ({"rank": 0}, {"rate": 0.0}, {"dev_share": 1.0}, {"epochs": 0}, {"learning": 1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            SftSettings.model_validate(wrong)


def test_a_base_is_loaded_in_float32(small_base_dir: Path) -> None:
    assert {p.dtype for p in load_base(small_base_dir).parameters()} == {torch.float32}
