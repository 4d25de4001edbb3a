"""PEFT's folder and our deltas say the same, in both directions, judged by peft itself."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import PeftModel
from skillweave.adapters.delta import Delta
from skillweave.adapters.digests import weights_digest
from skillweave.adapters.errors import AdapterRefused
from skillweave.adapters.peft_folder.deltas import read_peft, write_peft
from skillweave.adapters.peft_folder.header import CONFIG_FILE, WEIGHTS_FILE, read_header_of
from transformers import Qwen3ForCausalLM

from ..conftest import MakeAdapter

VARIANTS: dict[str, dict[str, object]] = {
    "plain": {},
    "rslora": {"use_rslora": True},
    "rank_pattern": {"rank_pattern": {"v_proj": 2, "layers.1.self_attn.q_proj": 3}},
    "alpha_pattern": {"alpha_pattern": {"down_proj": 32, "q_proj": 1}},
    "all patterns": {
        "use_rslora": True,
        "rank_pattern": {"v_proj": 2},
        "alpha_pattern": {"v_proj": 5, "layers.0.mlp.down_proj": 3},
    },
    "one layer": {"layers_to_transform": [1]},
}


def deltas_by_peft(base_dir: Path, adapter: Path) -> dict[str, torch.Tensor]:
    """What peft itself would add to each weight."""
    model = PeftModel.from_pretrained(Qwen3ForCausalLM.from_pretrained(base_dir), adapter)
    return {
        name.removeprefix("base_model.model."): module.get_delta_weight("default").detach()
        for name, module in model.named_modules()
        if hasattr(module, "get_delta_weight")
    }


@pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS.keys())
def test_what_we_read_is_what_peft_applies(
    base_dir: Path, make_adapter: MakeAdapter, options: dict[str, object]
) -> None:
    adapter = make_adapter(seed=3, **options)
    ours, theirs = read_peft(adapter), deltas_by_peft(base_dir, adapter)
    assert ours.keys() == theirs.keys()
    for name, delta in ours.items():
        torch.testing.assert_close(delta.dense_OI(), theirs[name])


@pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS.keys())
def test_what_we_write_is_what_peft_applies_and_keeps_the_digest(
    base_dir: Path, make_adapter: MakeAdapter, options: dict[str, object], tmp_path: Path
) -> None:
    adapter = read_peft(make_adapter(seed=4, **options))
    write_peft(adapter, tmp_path / "again", base_model="tiny")
    again, theirs = read_peft(tmp_path / "again"), deltas_by_peft(base_dir, tmp_path / "again")
    for name, delta in adapter.items():
        torch.testing.assert_close(delta.dense_OI(), theirs[name])
        assert torch.equal(again[name].down_RI, delta.down_RI)
        assert again[name].scale == pytest.approx(delta.scale, rel=1e-15)
    if not options.get("use_rslora"):  # there alpha over rank may miss the scale by one unit
        assert weights_digest(again) == weights_digest(adapter)


def test_the_digest_outlives_another_spelling_of_the_same_scale(
    make_adapter: MakeAdapter,
) -> None:
    plain = make_adapter(seed=5, r=4, lora_alpha=8)
    rooted = make_adapter(seed=5, r=4, lora_alpha=4, use_rslora=True)
    other = make_adapter(seed=5, r=4, lora_alpha=9)
    digests = [weights_digest(read_peft(folder)) for folder in (plain, rooted, other)]
    assert digests[0] == digests[1] != digests[2]


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.from_regex(r"layers\.[0-9]{1,2}\.(q_proj|mlp\.up)", fullmatch=True),
        st.tuples(st.sampled_from([1, 2, 4, 8]), st.sampled_from([1.0, -0.25, 0.1, 3.0])),
        min_size=1,
        max_size=6,
    )
)
def test_any_mix_of_ranks_and_scales_round_trips(
    tmp_path_factory: pytest.TempPathFactory, shapes: dict[str, tuple[int, float]]
) -> None:
    adapter = {
        name: Delta(torch.randn(rank, 3), torch.randn(5, rank), scale)
        for name, (rank, scale) in shapes.items()
    }
    folder = tmp_path_factory.mktemp("mix")
    write_peft(adapter, folder)
    assert weights_digest(read_peft(folder)) == weights_digest(adapter)
    assert read_header_of(folder).rank == max(rank for rank, _ in shapes.values())


def test_dtypes_are_kept(tmp_path: Path) -> None:
    kinds = {"m": torch.bfloat16, "n": torch.float16, "o": torch.float32}
    delta = {
        k: Delta(torch.ones(2, 3, dtype=d), torch.ones(4, 2, dtype=d), 1.0)
        for k, d in kinds.items()
    }
    write_peft(delta, tmp_path / "a")
    again = read_peft(tmp_path / "a")
    assert {k: (m.down_RI.dtype, m.up_OR.dtype) for k, m in again.items()} == {
        k: (d, d) for k, d in kinds.items()
    }


def test_nothing_is_ever_overwritten(tmp_path: Path, adapter_dir: Path) -> None:
    adapter = read_peft(adapter_dir)
    write_peft(adapter, tmp_path)
    before = (tmp_path / WEIGHTS_FILE).read_bytes()
    with pytest.raises(FileExistsError):
        write_peft(adapter, tmp_path)
    assert (tmp_path / WEIGHTS_FILE).read_bytes() == before
    with pytest.raises(ValueError, match="at least one"):
        write_peft({}, tmp_path / "empty")


def test_reading_an_unsound_folder_is_refused_before_a_tensor_is_read(
    tmp_path: Path, adapter_dir: Path
) -> None:
    write_peft(read_peft(adapter_dir), tmp_path)
    config = json.loads((tmp_path / CONFIG_FILE).read_text())
    (tmp_path / CONFIG_FILE).write_text(json.dumps({**config, "r": 5}))
    with pytest.raises(AdapterRefused, match="rank_mismatch"):
        read_peft(tmp_path)
