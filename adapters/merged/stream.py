"""Write one safetensors file again with updates added to some of its tensors.

Owns the arithmetic of a merged export and its memory: one block of rows at a time, whatever the
file holds. The header is copied byte for byte, so names, dtypes, order and metadata stay as they
were. Refuses to own which tensors are updated and what else belongs to a model (`export.py`).
"""

import json
import math
import os
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from ..errors import AdapterRefused, Problem, UsageError
from ..limits import GiB, Limits, MiB
from ..peft_folder.safetensors_header import BadHeader, TensorInfo, read_header

Rows = Callable[[int, int], Tensor]
"""Rows `[begin, end)` of an update `D_OI`, dense, float32."""

_DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
_LIMITS = Limits(tensors_bytes=1024 * GiB, header_bytes=64 * MiB)
_BLOCK_NUMBERS = 1 << 20
_CHUNK_BYTES = 8 << 20


@dataclass(frozen=True)
class Rounding:
    """Squared Frobenius norms: of what the cast back took away, and of the whole update."""

    lost: float = 0.0
    update: float = 0.0

    def __add__(self, other: "Rounding") -> "Rounding":
        return Rounding(self.lost + other.lost, self.update + other.update)

    @property
    def relative(self) -> float:
        """Norm of the loss over norm of the update; 0 for a base in float32."""
        return math.sqrt(self.lost / self.update) if self.update else 0.0


def header_of(file: Path) -> dict[str, TensorInfo]:
    """The tensors of a model's file, none of them read.

    Raises:
        UsageError: it is no safetensors file.
    """
    try:
        return read_header(file, _LIMITS)
    except BadHeader as err:
        raise UsageError(f"{file} is no safetensors file: {err}; download it again") from err


def can_add_to(info: TensorInfo) -> bool:
    """Whether a tensor holds plain floating-point numbers, to which an update can be added."""
    return info.dtype in _DTYPES


def merge_file(source: Path, target: Path, updates: Mapping[str, Rows]) -> Rounding:
    """Copy a file and add `updates`: `W' = cast(float32(W) + D)`, in float64 where W is float64.

    Args:
        source: a well-formed file (`header_of` has read it).
        target: made; must not exist.
        updates: tensor name -> its update; names that the file does not hold are passed over.

    Returns:
        What casting back to the tensors' own dtypes took away.

    Raises:
        AdapterRefused: a sum is NaN or infinite in its dtype; `target` is left half written.
    """
    rounding = Rounding()
    with source.open("rb") as reader, target.open("xb") as writer:
        prefix = reader.read(8)
        header = reader.read(struct.unpack("<Q", prefix)[0])
        writer.write(prefix + header)
        document = json.loads(header)
        document.pop("__metadata__", None)
        for name, entry in sorted(document.items(), key=lambda item: item[1]["data_offsets"]):
            begin, end = entry["data_offsets"]
            if name in updates:
                info = TensorInfo(entry["dtype"], tuple(entry["shape"]))
                rounding += _add(name, reader, writer, info=info, rows_of=updates[name])
            else:
                _copy(reader, writer, end - begin)
        writer.flush()
        os.fsync(writer.fileno())
    return rounding


def _add(
    name: str, reader: BinaryIO, writer: BinaryIO, *, info: TensorInfo, rows_of: Rows
) -> Rounding:
    num_out, num_in = info.shape
    dtype = _DTYPES[info.dtype]
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    step = max(1, _BLOCK_NUMBERS // max(1, num_in))
    rounding = Rounding()
    for begin in range(0, num_out, step):
        end = min(begin + step, num_out)
        raw = bytearray(reader.read((end - begin) * num_in * dtype.itemsize))
        old = torch.frombuffer(raw, dtype=dtype).reshape(end - begin, num_in)
        update = rows_of(begin, end).to(wide)
        exact = old.to(wide) + update
        new = exact.to(dtype)
        if not bool(new.isfinite().all()):
            raise AdapterRefused([_not_finite(name, info, old)], "the merged model")
        writer.write(new.contiguous().view(torch.uint8).numpy().tobytes())
        rounding += Rounding(_squared(new.to(wide) - exact), _squared(update))
    return rounding


def _not_finite(name: str, info: TensorInfo, old: Tensor) -> Problem:
    if not bool(old.isfinite().all()):
        return Problem(
            "not_finite",
            f"the base's own {name} in {info.dtype} holds NaN or infinity",
            "download it again",
        )
    return Problem(
        "overflow",
        f"{name} in {info.dtype} would hold NaN or infinity: the update is too large for it",
        "take a smaller weight, or a base in bfloat16 or float32",
    )


def _squared(values: Tensor) -> float:
    return float(values.double().square().sum())


def _copy(reader: BinaryIO, writer: BinaryIO, num_bytes: int) -> None:
    while num_bytes > 0:
        chunk = reader.read(min(num_bytes, _CHUNK_BYTES))
        writer.write(chunk)
        num_bytes -= len(chunk) or num_bytes
