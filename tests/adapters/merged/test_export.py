"""A merged model: what transformers computes with it, what it holds, and what is refused."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from skillweave.adapters.algebra import element_graft
from skillweave.adapters.delta import AdapterDelta, Delta
from skillweave.adapters.errors import AdapterRefused, Conflict, StoreError
from skillweave.adapters.merged.export import NOTE_FILE, companions, export_merged
from skillweave.adapters.peft_folder.deltas import read_peft
from transformers import AutoModelForCausalLM

from ..conftest import MakeAdapter

QUERY = "model.layers.0.self_attn.q_proj"
IDS = torch.arange(12)[None] % 64


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        out: torch.Tensor = model.eval()(input_ids=IDS).logits
    return out


def loaded(folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def ones(shape: tuple[int, int] = (32, 32)) -> AdapterDelta:
    """An update whose every element is 0.5."""
    return {QUERY: Delta(torch.ones(1, shape[1]), torch.ones(shape[0], 1), 0.5)}


def codes(caught: pytest.ExceptionInfo[AdapterRefused]) -> set[str]:
    return {problem.code for problem in caught.value.problems}


@pytest.mark.parametrize("shard_size", ["5GB", "20KB"], ids=["one file", "shards"])
def test_the_merged_model_computes_what_peft_computes(
    base_dir: Path, adapter_dir: Path, tmp_path: Path, shard_size: str
) -> None:
    base = tmp_path / "base"
    shutil.copytree(base_dir, base, ignore=shutil.ignore_patterns("*.safetensors"))
    loaded(base_dir).save_pretrained(base, max_shard_size=shard_size)
    merged = export_merged(base, read_peft(adapter_dir), tmp_path / "merged")
    ours = logits(loaded(merged.path))
    adapted: Any = PeftModel.from_pretrained(loaded(base), str(adapter_dir))
    assert (ours - logits(adapted)).abs().max() < 1e-5
    assert (ours - logits(adapted.merge_and_unload())).abs().max() < 1e-5
    assert (ours - logits(loaded(base))).abs().max() > 0.1
    assert (len(list(merged.path.glob("*.safetensors"))) > 3) == (shard_size == "20KB")
    assert (merged.rounding, merged.dtypes) == (0.0, ("F32",))


def test_only_what_the_adapter_names_changes(base_dir: Path, tmp_path: Path) -> None:
    export_merged(base_dir, ones(), tmp_path / "merged")
    before = load_file(base_dir / "model.safetensors")
    after = load_file(tmp_path / "merged" / "model.safetensors")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {f"{QUERY}.weight"}
    assert torch.equal(after[f"{QUERY}.weight"], before[f"{QUERY}.weight"] + 0.5)
    assert "lm_head.weight" not in after  # tied before, tied after


def test_config_tokenizer_and_template_come_along_and_nothing_else(
    base_dir: Path, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    shutil.copytree(base_dir, base)
    for name in ("README.md", "modeling_x.py", "optimizer.pt", "pytorch_model.bin", "LICENSE"):
        (base / name).write_text(name)
    merged = export_merged(base, ones(), tmp_path / "merged", note={"adapter": "x@1"})
    assert set(merged.files) == {
        "LICENSE",
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        NOTE_FILE,
    }
    note = json.loads((merged.path / NOTE_FILE).read_text())
    assert note == {"adapter": "x@1", "dtypes": ["F32"], "modules": 1, "rounding": 0.0}
    (base / "config.json").write_text(json.dumps({"auto_map": {"AutoModel": "modeling_x.X"}}))
    assert "modeling_x.py" in {file.name for file in companions(base)}


def test_a_half_precision_base_keeps_its_dtype_and_the_loss_is_told(
    base_dir: Path, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    shutil.copytree(base_dir, base)
    tensors = {n: t.bfloat16() for n, t in load_file(base / "model.safetensors").items()}
    tensors[f"{QUERY}.weight"] = torch.ones(32, 32, dtype=torch.bfloat16)
    save_file(tensors, base / "model.safetensors", metadata={"format": "pt"})
    # 1 + 1/512 is nearer to 1 than to the next bfloat16, 1 + 1/128: all is lost.
    small = {QUERY: Delta(torch.ones(1, 32), torch.ones(32, 1), 1 / 512)}
    merged = export_merged(base, small, tmp_path / "merged")
    assert (merged.rounding, merged.dtypes) == (1.0, ("BF16",))
    # 1 + 1/64 + 1/512 becomes 1 + 1/64.
    large = {QUERY: Delta(torch.ones(1, 32), torch.ones(32, 1), 9 / 512)}
    assert export_merged(base, large, tmp_path / "large").rounding == pytest.approx(1 / 9)
    after = load_file(tmp_path / "large" / "model.safetensors")
    assert after[f"{QUERY}.weight"].dtype == torch.bfloat16
    assert torch.equal(after[f"{QUERY}.weight"], torch.full((32, 32), 1 + 1 / 64).bfloat16())


def test_ranks_and_scales_that_differ_between_modules_are_merged(
    base_dir: Path, make_adapter: MakeAdapter, tmp_path: Path
) -> None:
    folder = make_adapter(
        seed=3, rank_pattern={"q_proj": 2}, alpha_pattern={"v_proj": 1}, use_rslora=True
    )
    merged = export_merged(base_dir, read_peft(folder), tmp_path / "merged")
    adapted: Any = PeftModel.from_pretrained(loaded(base_dir), str(folder))
    assert (logits(loaded(merged.path)) - logits(adapted)).abs().max() < 1e-5


def test_a_graft_of_elements_is_merged_alike(
    base_dir: Path, adapter_dir: Path, tmp_path: Path
) -> None:
    graft = element_graft(read_peft(adapter_dir), keep_fraction=0.1)
    merged = export_merged(base_dir, graft, tmp_path / "merged")
    before = load_file(base_dir / "model.safetensors")
    after = load_file(merged.path / "model.safetensors")
    for name, module in graft.items():
        change = after[f"{name}.weight"] - before[f"{name}.weight"]
        assert torch.allclose(change, module.dense_OI(), atol=1e-5)
        assert int((change != 0).sum()) == len(module.values_K)
    assert logits(loaded(merged.path)).isfinite().all()


def test_nothing_is_overwritten(base_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(Conflict, match="never overwrites"):
        export_merged(base_dir, ones(), tmp_path / "there")


def test_what_does_not_fit_is_refused_in_one_report(base_dir: Path, tmp_path: Path) -> None:
    update = {**ones((16, 32)), "model.layers.9.self_attn.q_proj": ones()[QUERY]}
    with pytest.raises(AdapterRefused) as caught:
        export_merged(base_dir, update, tmp_path / "merged")
    assert codes(caught) == {"wrong_shape", "unknown_module"}
    assert not list(tmp_path.iterdir())


def test_a_tied_head_is_refused(base_dir: Path, tmp_path: Path) -> None:
    head = {"lm_head": Delta(torch.ones(1, 32), torch.ones(64, 1), 1.0)}
    with pytest.raises(AdapterRefused, match="tied to another weight") as caught:
        export_merged(base_dir, head, tmp_path / "merged")
    assert "tied_embeddings" in codes(caught)


@pytest.mark.parametrize("how", ["config", "dtype"])
def test_a_quantised_base_is_refused_with_the_way_out(
    base_dir: Path, tmp_path: Path, how: str
) -> None:
    base = tmp_path / "base"
    shutil.copytree(base_dir, base)
    if how == "config":
        config = json.loads((base / "config.json").read_text())
        config["quantization_config"] = {"quant_method": "awq"}
        (base / "config.json").write_text(json.dumps(config))
    else:
        tensors = load_file(base / "model.safetensors")
        tensors[f"{QUERY}.weight"] = tensors[f"{QUERY}.weight"].to(torch.float8_e4m3fn)
        save_file(tensors, base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(AdapterRefused, match="original") as caught:
        export_merged(base, ones(), tmp_path / "merged")
    assert codes(caught) == ({"quantised_base"} if how == "config" else {"wrong_dtype"})


def test_a_full_disk_leaves_nothing_behind(base_dir: Path, tmp_path: Path) -> None:
    def fails(_: str) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="No space left"):
        export_merged(base_dir, ones(), tmp_path / "out" / "merged", say=fails)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("dtype", "scale"), [(torch.float16, 70_000.0), (torch.float32, 3e38)], ids=["F16", "F32"]
)
def test_a_sum_that_overflows_is_refused_and_leaves_nothing(
    base_dir: Path, tmp_path: Path, dtype: torch.dtype, scale: float
) -> None:
    base = tmp_path / "base"
    shutil.copytree(base_dir, base)
    tensors = {n: t.to(dtype) for n, t in load_file(base / "model.safetensors").items()}
    save_file(tensors, base / "model.safetensors", metadata={"format": "pt"})
    down, up = torch.ones(1, 32), torch.zeros(32, 1)
    up[31] = 2.0  # one row of the last block
    with pytest.raises(AdapterRefused) as caught:
        export_merged(base, {QUERY: Delta(down, up, scale)}, tmp_path / "out" / "merged")
    assert codes(caught) == {"overflow"}
    name = "F16" if dtype == torch.float16 else "F32"
    assert f"{QUERY}.weight in {name}" in str(caught.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_base_that_holds_nan_is_refused_as_such(base_dir: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(base_dir, base)
    tensors = load_file(base / "model.safetensors")
    tensors[f"{QUERY}.weight"][3, 4] = torch.nan
    save_file(tensors, base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(AdapterRefused, match="download it again"):
        export_merged(base, ones(), tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_the_folder_has_the_mode_that_the_user_gives_to_folders(
    base_dir: Path, tmp_path: Path
) -> None:
    before = os.umask(0o077)
    try:
        merged = export_merged(base_dir, ones(), tmp_path / "merged")
    finally:
        os.umask(before)
    modes = {file.stat().st_mode & 0o777 for file in merged.path.iterdir()}
    assert (merged.path.stat().st_mode & 0o777, modes) == (0o700, {0o600})


def test_every_tokenizer_file_and_further_templates_come_along(
    base_dir: Path, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    shutil.copytree(base_dir, base)
    extra = ["spiece.model", "sentencepiece.bpe.model", "additional_chat_templates/tool.jinja"]
    (base / "additional_chat_templates").mkdir()
    for name in extra:
        (base / name).write_text(name)
    merged = export_merged(base, ones(), tmp_path / "merged")
    assert set(extra) <= set(merged.files)
    assert [(merged.path / name).read_text() for name in extra] == extra


def test_a_link_to_nowhere_is_not_overwritten(base_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "there").symlink_to(tmp_path / "nowhere")
    with pytest.raises(Conflict, match="never overwrites"):
        export_merged(base_dir, ones(), tmp_path / "there")
