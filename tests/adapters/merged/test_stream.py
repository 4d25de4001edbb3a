"""One file written again: block by block, every other byte as it was."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from skillweave.adapters.errors import UsageError
from skillweave.adapters.merged.stream import Rounding, header_of, merge_file


def test_a_large_tensor_is_updated_in_blocks_of_rows(tmp_path: Path) -> None:
    source, target = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_file({"w": torch.zeros(5000, 2048), "x": torch.arange(7)}, source)
    asked: list[tuple[int, int]] = []

    def rows(begin: int, end: int) -> torch.Tensor:
        asked.append((begin, end))
        return torch.arange(begin, end).float()[:, None].expand(-1, 2048)

    rounding = merge_file(source, target, {"w": rows, "absent": rows})
    assert asked[:2] == [(0, 512), (512, 1024)]
    assert (len(asked), asked[-1]) == (10, (4608, 5000))
    after = load_file(target)
    assert torch.equal(after["w"][:, 7], torch.arange(5000).float())
    assert torch.equal(after["x"], torch.arange(7))
    assert rounding == Rounding(0.0, 2048.0 * sum(i * i for i in range(5000)))


def test_without_updates_the_file_is_a_copy(tmp_path: Path) -> None:
    source, target = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_file({"w": torch.ones(3, 5).half()}, source, metadata={"format": "pt", "note": "x"})
    assert merge_file(source, target, {}) == Rounding()
    assert target.read_bytes() == source.read_bytes()


def test_float64_weights_are_added_to_in_float64(tmp_path: Path) -> None:
    source, target = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_file({"w": torch.ones(2, 2, dtype=torch.float64)}, source)
    merge_file(source, target, {"w": lambda b, e: torch.full((e - b, 2), 2.0**-40)})
    assert torch.equal(
        load_file(target)["w"], torch.full((2, 2), 1 + 2.0**-40, dtype=torch.float64)
    )


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    source = tmp_path / "a.safetensors"
    save_file({"w": torch.ones(1)}, source)
    with pytest.raises(FileExistsError):
        merge_file(source, source, {})


def test_what_is_no_safetensors_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"no")
    with pytest.raises(UsageError, match="no safetensors file"):
        header_of(tmp_path / "a.safetensors")
