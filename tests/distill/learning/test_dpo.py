"""Preferences are learned against the base, which is the adapter switched off."""

import math

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from skillweave.distill.learning.dpo import Pair, pair_loss
from skillweave.distill.rendering import TokenRow
from transformers import PreTrainedModel

PAIRS = [
    Pair(
        TokenRow((1, 10 + n, 7, 8), (False, False, True, True)),
        TokenRow((1, 10 + n, 9, 6, 5), (False, False, True, True, True)),
    )
    for n in range(4)
]


def with_adapter(base: PreTrainedModel) -> PeftModel:
    torch.manual_seed(0)
    model = get_peft_model(base, LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"]))
    assert isinstance(model, PeftModel)
    return model


@pytest.mark.parametrize("normalise", [False, True])
def test_preference_grows_from_log_two(small_base: PreTrainedModel, normalise: bool) -> None:
    model = with_adapter(small_base)
    params = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(params, lr=2e-2)
    losses = []
    for _ in range(8):
        loss = pair_loss(model, PAIRS, pad=0, beta=0.5, normalise=normalise)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[0] == pytest.approx(math.log(2), abs=1e-5)
    assert losses[-1] < 0.8 * losses[0]


def test_the_loss_by_hand(small_base: PreTrainedModel) -> None:
    model = with_adapter(small_base)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lora_B" in name:
                p.normal_(std=0.2, generator=torch.Generator().manual_seed(1))

    def gain(row: TokenRow) -> float:
        total = 0.0
        for sign, off in ((1, False), (-1, True)):
            with torch.no_grad():
                ids = torch.tensor([row.ids])
                if off:
                    with model.disable_adapter():
                        logits = model(input_ids=ids).logits
                else:
                    logits = model(input_ids=ids).logits
            logp = logits[0].log_softmax(-1)
            total += sign * sum(float(logp[t - 1, row.ids[t]]) for t in range(2, len(row.ids)))
        return total

    gaps = [gain(pair.chosen) - gain(pair.rejected) for pair in PAIRS]
    expected = sum(math.log1p(math.exp(-0.3 * gap)) for gap in gaps) / len(gaps)
    found = float(pair_loss(model, PAIRS, pad=0, beta=0.3).detach())
    assert found == pytest.approx(expected, abs=1e-4)
    assert found != pytest.approx(math.log(2), abs=1e-3)
