"""Which tensors of a safetensors file hold NaN or infinity, in bounded memory.

The file is read in pieces; a value is infinite or no number exactly when all bits of its exponent
are set, which an integer comparison sees without converting anything. Owns that scan. Refuses to
own the header (`safetensors_header.py`).
"""

from collections.abc import Iterator
from io import FileIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .safetensors_header import FileHeader

_PIECE_BYTES = 1 << 20
# Dtype -> unsigned integer of its width, and the least value, shifted left by the sign bit, whose
# exponent is all ones.
_EXPONENTS: dict[str, tuple[type[np.unsignedinteger[Any]], int]] = {
    "F32": (np.uint32, 0xFF000000),
    "BF16": (np.uint16, 0xFF00),
    "F16": (np.uint16, 0xF800),
}


class Truncated(ValueError):
    """The file ends before its tensors do; it changed while it was read."""


def not_finite(file: FileIO, header: FileHeader) -> list[str]:
    """Names of the tensors that hold NaN or infinity, in order of the file.

    Args:
        file: open, unbuffered; read front to back in pieces of one MiB.
        header: of this file. Tensors of other dtypes than F32, BF16, F16 are passed over.

    Raises:
        Truncated: the file is shorter than its header says.
    """
    buffer = bytearray(_PIECE_BYTES)
    scratch = np.empty(_PIECE_BYTES, np.uint8)
    found: list[str] = []
    for dtype, names, spans in _runs(header):
        unsigned, limit = _EXPONENTS[dtype]
        starts = [begin for begin, _ in spans]
        hits: set[int] = set()
        for offset, piece in _pieces(file, spans[0][0], spans[-1][1], buffer):
            values = np.frombuffer(piece, unsigned)
            shifted = scratch[: len(piece)].view(unsigned)
            np.left_shift(values, 1, out=shifted)
            if shifted.max() >= limit:
                hits.update(_owners(shifted, limit, offset, starts))
        found += [names[index] for index in sorted(hits)]
    return found


def _runs(header: FileHeader) -> Iterator[tuple[str, list[str], list[tuple[int, int]]]]:
    """Neighbours of one dtype together: a thousand small tensors are read in one go."""
    dtype, names, spans = "", list[str](), list[tuple[int, int]]()
    for span, name in sorted(zip(header.spans.values(), header.spans, strict=True)):
        if span[0] == span[1]:
            continue
        own = header.tensors[name].dtype
        if own != dtype and names:
            if dtype in _EXPONENTS:
                yield dtype, names, spans
            names, spans = [], []
        dtype = own
        names.append(name)
        spans.append(span)
    if names and dtype in _EXPONENTS:
        yield dtype, names, spans


def _pieces(
    file: FileIO, begin: int, end: int, buffer: bytearray
) -> Iterator[tuple[int, memoryview]]:
    file.seek(begin)
    offset = begin
    while offset < end:
        piece = memoryview(buffer)[: min(len(buffer), end - offset)]
        filled = 0
        while filled < len(piece):
            got = file.readinto(piece[filled:])
            if not got:
                raise Truncated(f"the file ends at byte {offset + filled}: expected {end}")
            filled += got
        yield offset, piece
        offset += len(piece)


def _owners(shifted: NDArray[Any], limit: int, offset: int, starts: list[int]) -> list[int]:
    """Which tensors the odd values of one piece belong to."""
    places = offset + np.flatnonzero(shifted >= limit) * shifted.itemsize
    owners = np.searchsorted(np.asarray(starts), places, side="right") - 1
    return [int(owner) for owner in np.flatnonzero(np.bincount(owners))]
