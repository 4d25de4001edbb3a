"""Read and check the header of a safetensors file without touching a tensor.

Owns the file format's own rules: header length, offsets without holes or overlaps, sizes that
follow from dtype and shape. Refuses to own what the tensors mean (`peft_io.py`, `base.py`).
"""

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path

from .limits import DEFAULT_LIMITS, Limits

_ITEM_BYTES = {
    "F64": 8,
    "F32": 4,
    "F16": 2,
    "BF16": 2,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "I64": 8,
    "I32": 4,
    "I16": 2,
    "I8": 1,
    "U64": 8,
    "U32": 4,
    "U16": 2,
    "U8": 1,
    "BOOL": 1,
}


class BadHeader(ValueError):
    """The file is no well-formed safetensors file. Callers turn it into their own finding."""


@dataclass(frozen=True)
class TensorInfo:
    """One tensor as the header declares it; `dtype` in the format's spelling, such as `F32`."""

    dtype: str
    shape: tuple[int, ...]


def read_header(path: Path, limits: Limits = DEFAULT_LIMITS) -> dict[str, TensorInfo]:
    """The tensors that a safetensors file declares, by name.

    Raises:
        BadHeader: any rule of the format is broken, or a limit is exceeded.
        OSError: the file cannot be read.
    """
    size = path.stat().st_size
    if size > limits.tensors_bytes:
        raise BadHeader(f"the file has {size} bytes: at most {limits.tensors_bytes}")
    with path.open("rb") as file:
        prefix = file.read(8)
        if len(prefix) < 8:
            raise BadHeader(f"the file has {size} bytes: not even a header length")
        (length,) = struct.unpack("<Q", prefix)
        if length > limits.header_bytes or length > size - 8:
            raise BadHeader(
                f"the header claims {length} bytes in a file of {size}: "
                f"expected at most {min(limits.header_bytes, size - 8)}"
            )
        document = _parse(file.read(length))
    document.pop("__metadata__", None)
    return _check_layout(document, data_bytes=size - 8 - length)


def _parse(raw: bytes) -> dict[str, object]:
    try:
        document = json.loads(raw.decode("utf-8"), object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as err:
        raise BadHeader(f"the header is no JSON object without duplicate keys: {err}") from err
    if not isinstance(document, dict):
        raise BadHeader(f"the header is a JSON {type(document).__name__}: expected an object")
    return document


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("duplicate key")
    return result


def _check_layout(document: dict[str, object], *, data_bytes: int) -> dict[str, TensorInfo]:
    spans: list[tuple[int, int, str]] = []
    infos: dict[str, TensorInfo] = {}
    for name, entry in document.items():
        info, begin, end = _entry(name, entry)
        infos[name] = info
        spans.append((begin, end, name))
    position = 0
    for begin, end, name in sorted(spans):
        if begin != position:
            raise BadHeader(f"tensor {name!r} starts at byte {begin}: expected {position}")
        position = end
    if position != data_bytes:
        raise BadHeader(f"the tensors end at byte {position} of {data_bytes}")
    return infos


def _entry(name: str, entry: object) -> tuple[TensorInfo, int, int]:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise BadHeader(f"tensor {name!r}: expected dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _ITEM_BYTES:
        raise BadHeader(f"tensor {name!r} has the unknown dtype {dtype!r}")
    if not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2:
        raise BadHeader(f"tensor {name!r}: shape {shape!r}, data_offsets {offsets!r} are no sizes")
    begin, end = offsets
    if end - begin != math.prod(shape) * _ITEM_BYTES[dtype]:
        raise BadHeader(f"tensor {name!r}: {end - begin} bytes do not hold {dtype} {shape}")
    return TensorInfo(dtype, tuple(shape)), begin, end


def _are_sizes(value: object) -> bool:
    return isinstance(value, list) and all(
        type(item) is int and 0 <= item < 1 << 62 for item in value
    )
