"""Folders that peft itself saved, in every form we take: they pass, and mean what peft computes."""

import json
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from skillweave.adapters.artifact import artifact_digests, write_artifact
from skillweave.adapters.base.identity import BaseIdentity
from skillweave.adapters.card import Card
from skillweave.adapters.gate.policy import GatePolicy
from skillweave.adapters.peft_folder.deltas import read_peft
from skillweave.adapters.peft_folder.header import CONFIG_FILE
from transformers import Qwen3ForCausalLM

NAMED = ["q_proj", "v_proj", "down_proj"]
FORMS: dict[str, dict[str, object]] = {
    "plain": {"target_modules": NAMED},
    "alpha is not the rank": {"target_modules": NAMED, "r": 3, "lora_alpha": 7},
    "patterns of rank and alpha": {
        "target_modules": NAMED,
        "rank_pattern": {"v_proj": 2, r"^model\.layers\.0\.self_attn\.q_proj": 6},
        "alpha_pattern": {"q_proj": 1, "layers.1.mlp.down_proj": 5},
    },
    "rsLoRA with patterns": {
        "target_modules": NAMED,
        "use_rslora": True,
        "rank_pattern": {"v_proj": 2},
        "alpha_pattern": {r"layers\.0\..*": 3},
    },
    "all linear layers": {"target_modules": "all-linear"},
    "one expression": {"target_modules": r".*\.layers\.\d+\.(self_attn|mlp)\.(q|o|up)_proj"},
    "an expression that looks ahead": {"target_modules": r"^(?!.*layers\.0).*_proj$"},
    "some layers": {
        "target_modules": NAMED,
        "layers_to_transform": [1],
        "layers_pattern": "layers",
    },
    "but for some": {"target_modules": "all-linear", "exclude_modules": r".*mlp\..*"},
    "another init": {"target_modules": NAMED, "init_lora_weights": "orthogonal"},
}
DTYPES = (torch.float32, torch.bfloat16, torch.float16)


def save(
    base_dir: Path, folder: Path, dtype: torch.dtype = torch.float32, **options: object
) -> PeftModel:
    """A random adapter, saved by peft."""
    config = LoraConfig(task_type="CAUSAL_LM", **{"r": 4, "lora_alpha": 8, **options})
    model = get_peft_model(Qwen3ForCausalLM.from_pretrained(base_dir), config)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.data = torch.randn(parameter.shape, generator=generator).to(dtype)
    model.save_pretrained(folder, save_embedding_layers=False)
    return model


@pytest.mark.parametrize("form", FORMS)
def test_our_delta_is_pefts_own(
    base_dir: Path, base: BaseIdentity, tmp_path: Path, form: str
) -> None:
    model = save(base_dir, tmp_path / "a", **FORMS[form])
    assert GatePolicy().check(tmp_path / "a", base) == ()
    ours = read_peft(tmp_path / "a")
    theirs = {
        name.removeprefix("base_model.model."): module.get_delta_weight("default")
        for name, module in model.named_modules()
        if hasattr(module, "get_delta_weight")
    }
    assert ours.keys() == theirs.keys()
    for name, delta in ours.items():
        torch.testing.assert_close(delta.dense_OI(), theirs[name], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_each_precision_is_kept_and_passes(
    base_dir: Path, base: BaseIdentity, tmp_path: Path, dtype: torch.dtype
) -> None:
    save(base_dir, tmp_path / "a", dtype, target_modules=NAMED)
    assert GatePolicy().check(tmp_path / "a", base) == ()
    assert {m.down_RI.dtype for m in read_peft(tmp_path / "a").values()} == {dtype}


def test_words_that_are_read_on_loading_pass_as_well(
    base_dir: Path, base: BaseIdentity, tmp_path: Path
) -> None:
    """peft spells `all-linear` out when it saves; a config that still says it means the same."""
    save(base_dir, tmp_path / "a", target_modules="all-linear")
    config = json.loads((tmp_path / "a" / CONFIG_FILE).read_text())
    for word in ("all-linear", "All-Linear", r".*\.(self_attn|mlp)\..*_proj"):
        changed = {**config, "target_modules": word, "base_model_name_or_path": "/gone"}
        (tmp_path / "a" / CONFIG_FILE).write_text(json.dumps(changed))
        assert GatePolicy().check(tmp_path / "a", base) == ()


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ({"use_dora": True}, {"dora"}),
        ({"modules_to_save": ["norm"]}, {"modules_to_save", "unknown_tensor"}),
        ({"init_lora_weights": "pissa"}, {"base_rewriting_init"}),
        ({"trainable_token_indices": [1]}, {"unsupported_config", "unknown_tensor"}),
        ({"target_modules": ["q_proj", "embed_tokens"]}, {"embedding_lora"}),
    ],
)
@pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings")  # what is asked for here
def test_what_peft_saves_beyond_plain_lora_is_refused(
    base_dir: Path,
    base: BaseIdentity,
    tmp_path: Path,
    options: dict[str, object],
    codes: set[str],
) -> None:
    save(base_dir, tmp_path / "a", **{"target_modules": NAMED, **options})
    found = {p.code for p in GatePolicy().check(tmp_path / "a", base)}
    assert found == codes


def test_the_name_of_the_base_does_not_matter_and_the_files_stay_as_they_are(
    base_dir: Path, tmp_path: Path, card: Card
) -> None:
    save(base_dir, tmp_path / "a", target_modules=NAMED)
    write_artifact(tmp_path / "b", tmp_path / "a", card=card)
    assert (tmp_path / "b" / CONFIG_FILE).read_bytes() == (
        tmp_path / "a" / CONFIG_FILE
    ).read_bytes()
    first = artifact_digests(tmp_path / "b")
    loaded = PeftModel.from_pretrained(Qwen3ForCausalLM.from_pretrained(base_dir), tmp_path / "b")
    loaded.peft_config["default"].base_model_name_or_path = "another/name"
    loaded.save_pretrained(tmp_path / "c", save_embedding_layers=False)
    write_artifact(tmp_path / "d", tmp_path / "c", card=card)
    again = artifact_digests(tmp_path / "d")
    assert again.weights == first.weights
    assert again.version != first.version
