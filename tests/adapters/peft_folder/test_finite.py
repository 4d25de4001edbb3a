"""The scan for NaN and infinity: every bit pattern, every place, bounded memory."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from skillweave.adapters.folders import open_plain
from skillweave.adapters.peft_folder.finite import Truncated, not_finite
from skillweave.adapters.peft_folder.safetensors_header import (
    FileHeader,
    TensorInfo,
    read_file_header,
)


def scan(path: Path) -> list[str]:
    with open_plain(path) as file:
        return not_finite(file, read_file_header(file))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_every_value_of_sixteen_bits_is_judged_as_torch_does(
    tmp_path: Path, dtype: torch.dtype
) -> None:
    every = torch.arange(1 << 16, dtype=torch.int32).to(torch.uint16).view(dtype)
    finite = every[every.isfinite()]
    odd = every[~every.isfinite()]
    save_file(
        {"fine": finite, **{f"odd{i}": v[None] for i, v in enumerate(odd[::97])}}, tmp_path / "x"
    )
    assert set(scan(tmp_path / "x")) == {f"odd{i}" for i in range(len(odd[::97]))}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("place", [0, 262_143, 262_144, 699_999])
def test_an_odd_value_is_found_on_both_sides_of_a_piece(
    tmp_path: Path, value: float, place: int
) -> None:
    big = torch.full((700_000,), torch.finfo(torch.float32).max)
    big[place] = value
    save_file({"a": torch.zeros(3), "b": big, "c": -torch.zeros(5)}, tmp_path / "x")
    assert scan(tmp_path / "x") == ["b"]


def test_dtypes_side_by_side_and_empty_tensors(tmp_path: Path) -> None:
    tensors = {
        "a": torch.tensor([1.0, float("nan")]),
        "b": torch.tensor([float("inf")], dtype=torch.bfloat16),
        "c": torch.zeros(0, 4),
        "d": torch.full((3,), -1, dtype=torch.int64),  # all bits set, and a number
        "e": torch.tensor([float("nan")], dtype=torch.float64),  # not ours to scan
        "f": torch.zeros(7, dtype=torch.float16),
    }
    save_file(tensors, tmp_path / "x")
    assert sorted(scan(tmp_path / "x")) == ["a", "b"]


def test_a_file_cut_short_while_it_is_read_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\0" * 100)
    header = FileHeader({"a": TensorInfo("F32", (50,))}, {"a": (0, 200)})
    with open_plain(tmp_path / "x") as file, pytest.raises(Truncated, match="byte 100"):
        not_finite(file, header)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    values = np.full(8 << 20, np.nan, np.float32)  # 32 MiB, the worst case: every value is odd
    save_file({"a": torch.from_numpy(values)}, tmp_path / "x")
    tracemalloc.start()
    assert scan(tmp_path / "x") == ["a"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20
