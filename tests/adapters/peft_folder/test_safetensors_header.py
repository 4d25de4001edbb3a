"""The header of a safetensors file: every rule of the format, broken one at a time."""

import json
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from skillweave.adapters.limits import Limits
from skillweave.adapters.peft_folder.safetensors_header import BadHeader, TensorInfo, read_header


def raw(header: object, data: bytes = b"\0" * 8) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(begin: int = 0, end: int = 8, **change: object) -> dict[str, object]:
    return {"dtype": "F32", "shape": [2], "data_offsets": [begin, end], **change}


def test_it_reads_what_the_library_writes(tmp_path: Path) -> None:
    tensors = {"a": torch.zeros(2, 3), "b": torch.zeros(4, dtype=torch.bfloat16)}
    save_file(tensors, tmp_path / "x", metadata={"format": "pt"})
    assert read_header(tmp_path / "x") == {
        "a": TensorInfo("F32", (2, 3)),
        "b": TensorInfo("BF16", (4,)),
    }


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not even a header length"),
        (b"\0" * 4, "not even a header length"),
        (struct.pack("<Q", 1 << 60) + b"{}", "the header claims"),
        (raw({"a": entry()})[:-9], "the header claims"),
        (raw(b"{nope"), "no JSON"),
        (raw(b"{\xff}"), "no JSON"),
        (raw(b"\xff\xff"), "opening brace"),
        (raw(b' {"a": 1}'), "opening brace"),
        (raw(b'{"a": NaN}'), "NaN is no JSON"),
        (raw(b'{"\\ud800": 1}'), "surrogate"),
        (raw(b'{"a":' + b"[" * 100_000), "nested too deeply"),
        (raw(b'{"a": 1' + b"0" * 5000 + b"}"), "no JSON"),
        (raw({"__metadata__": {"format": 1}, "a": entry()}), "no object of texts"),
        (raw({"__metadata__": [], "a": entry()}), "no object of texts"),
        (raw(b'{"a": 1, "a": 1}'), "duplicate key"),
        (raw([1]), "opening brace"),
        (raw({"a": 1}), "expected dtype"),
        (raw({"a": entry(more=1)}), "expected dtype"),
        (raw({"a": entry(dtype="F33")}), "unknown dtype"),
        (raw({"a": entry(shape=[-2])}), "no sizes"),
        (raw({"a": entry(shape=[2.0])}), "no sizes"),
        (raw({"a": entry(shape=[True, 2])}), "no sizes"),
        (raw({"a": entry(data_offsets=[0])}), "no sizes"),
        (raw({"a": entry(shape=[3])}), "do not hold"),
        (raw({"a": entry(8, 0)}), "do not hold"),
        (raw({"a": entry(4, 12)}, b"\0" * 12), "starts at byte 4"),
        (raw({"a": entry(), "b": entry(4, 12)}, b"\0" * 12), "starts at byte 4"),
        (raw({"a": entry()}, b"\0" * 9), "end at byte 8 of 9"),
        (raw({"a": entry()}, b"\0" * 7), "end at byte 8 of 7"),
    ],
)
def test_each_broken_rule_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(BadHeader, match=reason):
        read_header(tmp_path / "x")


def twice(inner: str) -> bytes:
    plain = json.dumps({"b": entry(8, 16)})[1:-1]
    return raw(f"{{{inner}, {plain}}}".encode(), b"\0" * 16)


@pytest.mark.parametrize(
    "inner",
    [
        '"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "b": {}',
        '"a": {"dtype": "F32", "dtype": "F32", "shape": [2], "data_offsets": [0, 8]}',
        '"a": {"dtype": "F32", "shape": [2], "shape": [2], "data_offsets": [0, 8]}',
        '"a": {"d\\u0074ype": "F32", "dtype": "F32", "shape": [2], "data_offsets": [0, 8]}',
        '"__metadata__": {}, "__metadata__": {}, '
        '"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}',
        '"__metadata__": {"x": "1", "x": "2"}, '
        '"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}',
        '"x": 1, "x": 1, "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}',
    ],
)
def test_a_key_that_comes_twice_is_never_taken(tmp_path: Path, inner: str) -> None:
    (tmp_path / "x").write_bytes(twice(inner))
    with pytest.raises(BadHeader):
        read_header(tmp_path / "x")


def test_limits_hold_before_anything_is_parsed(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(raw({"a": entry()}))
    with pytest.raises(BadHeader, match="at most 10"):
        read_header(tmp_path / "x", Limits(tensors_bytes=10))
    with pytest.raises(BadHeader, match="at most 5"):
        read_header(tmp_path / "x", Limits(header_bytes=5))
