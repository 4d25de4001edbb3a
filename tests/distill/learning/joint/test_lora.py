"""Several adapters in one step end where each would have ended alone, under PEFT as well."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from skillweave.adapters.errors import UsageError
from skillweave.adapters.peft_folder.deltas import read_peft
from skillweave.distill.learning.joint import AdapterSpec, JointLora
from skillweave.distill.learning.sft import collate
from skillweave.distill.rendering import TokenRow
from torch import Tensor, nn
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
)

SPECS = (
    AdapterSpec(name="one", rank=4, rate=3e-3, seed=1),
    AdapterSpec(name="two", rank=2, rate=1e-3, seed=2, total_steps=8, alpha=2.0),
    AdapterSpec(name="three", rank=4, rate=5e-3, seed=3, targets=("q_proj", "up_proj"), clip=0.05),
)


def rows(seed: int, num: int = 3, words: int = 90) -> list[TokenRow]:
    """Rows of 3 to 9 tokens; the first two are not learned."""
    rng = random.Random(seed)
    sizes = [rng.randrange(3, 10) for _ in range(num)]
    return [
        TokenRow(tuple(rng.randrange(words) for _ in range(n)), tuple(i > 1 for i in range(n)))
        for n in sizes
    ]


def batches(step: int, num: int = 3) -> list[list[TokenRow]]:
    return [rows(100 * step + index) for index in range(num)]


class OwnNorm(nn.Module):
    """RMSNorm in the dtype of its input: transformers' rounds float64 to float32."""

    def __init__(self, theirs: nn.Module) -> None:
        super().__init__()
        self.weight, self.variance_epsilon = theirs.weight, theirs.variance_epsilon

    def forward(self, x: Tensor) -> Tensor:
        return x * (x.square().mean(-1, keepdim=True) + self.variance_epsilon).rsqrt() * self.weight


def in_float64(base: PreTrainedModel) -> PreTrainedModel:
    for parent in list(base.modules()):
        for name, module in list(parent.named_children()):
            if "RMSNorm" in type(module).__name__:
                setattr(parent, name, OwnNorm(module))
    return base.double()


def alone_under_peft(
    base: PreTrainedModel, folder: Path, spec: AdapterSpec, steps: Sequence[Sequence[TokenRow]]
) -> list[float]:
    """Losses of a plain PEFT run that starts from a saved folder."""
    model = PeftModel.from_pretrained(base, str(folder), is_trainable=True)
    params = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(params, lr=spec.rate, weight_decay=0.0)
    losses = []
    for step, batch in enumerate(steps):
        optimiser.param_groups[0]["lr"] = spec.rate_at(step)
        ids_BT, attention_BT, labels_BT = collate(batch, pad=0)
        logits = model(input_ids=ids_BT, attention_mask=attention_BT).logits[:, :-1]
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), labels_BT[:, 1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(params, spec.clip)
        optimiser.step()
        optimiser.zero_grad()
        losses.append(float(loss.detach()))
    model.unload()
    base.__dict__.pop("peft_config", None)
    return losses


@pytest.mark.parametrize(("dtype", "close"), [(torch.float64, 1e-8), (torch.float32, 1e-4)])
def test_losses_are_those_of_peft_alone(
    small_base: PreTrainedModel, tmp_path: Path, dtype: torch.dtype, close: float
) -> None:
    base = in_float64(small_base) if dtype == torch.float64 else small_base
    joint = JointLora(base, SPECS)
    for spec in SPECS:
        joint.save(spec.name, tmp_path / spec.name, base_name="small-base")
    together = [joint.step(batches(step)) for step in range(8)]
    for index, spec in enumerate(SPECS):
        own = [batches(step)[index] for step in range(8)]
        alone = alone_under_peft(base, tmp_path / spec.name, spec, own)
        assert [losses[index] for losses in together] == pytest.approx(alone, abs=close)
        assert together[0][index] != together[-1][index]


def test_what_is_saved_gives_peft_the_same_log_probabilities(
    small_base: PreTrainedModel, tmp_path: Path
) -> None:
    joint = JointLora(small_base, SPECS)
    for step in range(4):
        joint.step(batches(step))
    with torch.no_grad():
        ours = joint.logps(batches(9))
    for index, spec in enumerate(SPECS):
        joint.save(spec.name, tmp_path / spec.name, base_name="small-base")
        model = PeftModel.from_pretrained(small_base, str(tmp_path / spec.name))
        theirs = []
        for row in batches(9)[index]:
            with torch.no_grad():
                logp = model(input_ids=torch.tensor([row.ids])).logits[0].log_softmax(-1)
            theirs += [float(logp[t - 1, row.ids[t]]) for t in range(2, len(row.ids))]
        assert ours[index] is not None
        assert ours[index].tolist() == pytest.approx(theirs, abs=1e-4)
        small_base = model.unload()
        small_base.__dict__.pop("peft_config", None)
        saved = read_peft(tmp_path / spec.name)
        assert {name.rpartition(".")[2] for name in saved} == set(spec.targets)
        assert {delta.rank for delta in saved.values()} == {spec.rank}


def test_company_changes_nothing(small_base: PreTrainedModel) -> None:
    base = in_float64(small_base)
    joint, single = JointLora(base, SPECS), JointLora(base, SPECS[1:2])
    for step in range(5):
        together = joint.step(batches(step))[1]
        assert single.step(batches(step)[1:2])[0] == pytest.approx(together, abs=1e-10)


def test_an_adapter_without_rows_stays_as_it_is(small_base: PreTrainedModel) -> None:
    joint = JointLora(small_base, SPECS)
    joint.step(batches(0))
    before = {name: d.up_OR.clone() for name, d in joint.delta("two").items()}
    losses = joint.step([rows(1), [], rows(2)])
    assert losses[1] is None
    assert all(torch.equal(before[n], d.up_OR) for n, d in joint.delta("two").items())


def test_two_halves_of_a_batch_give_the_gradient_of_the_whole(small_base: PreTrainedModel) -> None:
    """Summed losses over a fixed count: what gradient accumulation rests on."""
    base, whole = in_float64(small_base), rows(4, num=4)
    count = sum(sum(row.learn) for row in whole)
    once, twice = (JointLora(base, SPECS[:1]) for _ in range(2))

    def share(_: int, logp_K: Tensor) -> Tensor:
        return -logp_K.sum() / count

    once.backward([whole], loss=share)
    for half in (whole[:2], whole[2:]):
        twice.backward([half], loss=share)
    once.apply([True])
    twice.apply([True])
    for name, delta in once.delta("one").items():
        assert torch.allclose(delta.up_OR, twice.delta("one")[name].up_OR, atol=1e-9)


def test_the_base_alone_is_what_a_fresh_adapter_gives(small_base: PreTrainedModel) -> None:
    """Up factors start at zero, so a fresh adapter changes nothing; a trained one does."""
    joint = JointLora(small_base, SPECS)
    with torch.no_grad():
        fresh = joint.logps(batches(0))
    for step in range(3):
        joint.step(batches(step))
    with torch.no_grad():
        trained = joint.logps(batches(0))
    for alone, before, after in zip(joint.base_logps(batches(0)), fresh, trained, strict=True):
        assert alone is not None
        assert before is not None
        assert after is not None
        assert torch.equal(alone, before)
        assert not torch.allclose(alone, after, atol=1e-3)
    assert joint.base_logps([batches(0)[0], [], []])[1:] == [None, None]


def test_gradient_norms_are_those_of_each_adapter_before_clipping(
    small_base: PreTrainedModel,
) -> None:
    joint = JointLora(small_base, SPECS)
    joint.zero_grad()
    joint.backward([*batches(0)[:2], []])
    once = joint.gradient_norms()
    assert once[0] > 0
    assert once[2] == 0
    joint.backward([*batches(0)[:2], []])
    assert joint.gradient_norms() == pytest.approx([2 * norm for norm in once])


def test_the_base_is_not_changed(small_base: PreTrainedModel) -> None:
    before = {name: value.clone() for name, value in small_base.state_dict().items()}
    joint = JointLora(small_base, SPECS)
    joint.step(batches(0))
    assert all(torch.equal(value, before[n]) for n, value in small_base.state_dict().items())
    assert all(p.grad is None for p in small_base.parameters())


SMALL = {
    "vocab_size": 96,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
}


@pytest.mark.parametrize(
    ("kind", "config"), [(Qwen2ForCausalLM, Qwen2Config), (LlamaForCausalLM, LlamaConfig)]
)
def test_other_families_with_biases_and_an_own_head(
    kind: type[PreTrainedModel], config: type[Qwen2Config | LlamaConfig], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    base = kind(config(**SMALL, tie_word_embeddings=False)).requires_grad_(False)
    for name, parameter in base.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(parameter)
    joint = JointLora(base, SPECS)
    joint.save("one", tmp_path / "one", base_name="small")
    losses = [joint.step(batches(step))[0] for step in range(3)]
    own = [batches(step)[0] for step in range(3)]
    assert losses == pytest.approx(
        alone_under_peft(base, tmp_path / "one", SPECS[0], own), abs=1e-5
    )


def test_what_makes_no_sense_is_refused(small_base: PreTrainedModel) -> None:
    with pytest.raises(UsageError, match="distinct names"):
        JointLora(small_base, [SPECS[0], SPECS[0]])
    with pytest.raises(UsageError, match=r"targets \['lm_head'\]"):
        JointLora(small_base, [AdapterSpec(name="bad", rate=1e-3, targets=("lm_head",))])
    joint = JointLora(small_base, SPECS)
    with pytest.raises(UsageError, match="rows for 1 adapters, expected 3"):
        joint.step([rows(0)])
    with pytest.raises(UsageError, match="no rows at all"):
        joint.step([[], [], []])
    with pytest.raises(UsageError, match="adapter 1 of the step learns 0 tokens"):
        joint.step([rows(0), [TokenRow((1, 2), (False, False))], []])
    with pytest.raises(UsageError, match="no adapter 'four'"):
        joint.delta("four")


def test_a_base_of_another_family_is_refused_by_name(small_base: PreTrainedModel) -> None:
    small_base.config.model_type = "mamba"
    with pytest.raises(UsageError, match="family 'mamba'"):
        JointLora(small_base, SPECS)
    small_base.config.model_type = "qwen3"
    small_base.config.layer_types = ["sliding_attention"]
    with pytest.raises(UsageError, match="sliding window"):
        JointLora(small_base, SPECS)
