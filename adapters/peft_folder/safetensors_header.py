"""Read and check the header of a safetensors file without touching a tensor.

Owns the file format's own rules: header length, offsets without holes or overlaps, sizes that
follow from dtype and shape; nothing that the format's own library refuses is taken here. Refuses
to own what the tensors mean (`header.py`, `base/identity.py`).
"""

import json
import math
import operator
import os
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

from ..folders import open_plain, read_exactly
from ..limits import DEFAULT_LIMITS, Limits
from ..text import shown

_ITEM_BYTES = {
    "F64": 8,
    "F32": 4,
    "F16": 2,
    "BF16": 2,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "F8_E8M0": 1,
    "C64": 8,
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
_FIELD_NAMES = {"dtype", "shape", "data_offsets"}
_fields: Callable[[Any], tuple[Any, Any, Any]] = operator.itemgetter(
    "dtype", "shape", "data_offsets"
)
_MAX_SIZE = 1 << 62
_MAX_SHOWN = 60
_MAX_DIMENSIONS = 8


class BadHeader(ValueError):
    """The file is no well-formed safetensors file. Callers turn it into their own finding."""


class TensorInfo(NamedTuple):
    """One tensor as the header declares it; `dtype` in the format's spelling, such as `F32`."""

    dtype: str
    shape: tuple[int, ...]


_new_info = tuple.__new__  # half the time of the constructor that NamedTuple writes


@dataclass(frozen=True)
class FileHeader:
    """The whole header: tensors by name, and where each begins and ends in the file (bytes)."""

    tensors: Mapping[str, TensorInfo]
    spans: Mapping[str, tuple[int, int]]


def read_header(path: Path, limits: Limits = DEFAULT_LIMITS) -> dict[str, TensorInfo]:
    """The tensors that a safetensors file declares, by name.

    Raises:
        BadHeader: any rule of the format is broken, or a limit is exceeded.
        OSError: the file cannot be read. A model's files may be links (a hub cache has them so).
    """
    with open_plain(path.resolve()) as file:
        return dict(read_file_header(file, limits).tensors)


def read_file_header(file: FileIO, limits: Limits = DEFAULT_LIMITS) -> FileHeader:
    """The header of an open file, read from its first byte.

    Raises:
        BadHeader: any rule of the format is broken, or a limit is exceeded.
        OSError: the file cannot be read.
    """
    size = os.fstat(file.fileno()).st_size
    if size > limits.tensors_bytes:
        raise BadHeader(f"the file has {size} bytes: at most {limits.tensors_bytes}")
    prefix = read_exactly(file, 8)
    if len(prefix) < 8:
        raise BadHeader(f"the file has {size} bytes: not even a header length")
    (length,) = struct.unpack("<Q", prefix)
    if length > limits.header_bytes or length > size - 8:
        raise BadHeader(
            f"the header claims {length} bytes in a file of {size}: "
            f"expected at most {min(limits.header_bytes, size - 8)}"
        )
    document = _parse(read_exactly(file, length))
    _check_metadata(document.pop("__metadata__", None))
    return _check_layout(document, start=8 + length, end=size)


def parse_object(raw: bytes) -> dict[str, object]:
    """A JSON object as RFC 8259 has it: UTF-8, no key twice, no NaN, no half surrogates.

    Raises:
        ValueError: anything else, nesting too deep for us included.
    """
    try:
        value = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant
        )
    except RecursionError as err:
        raise ValueError("it is nested too deeply") from err
    if not isinstance(value, dict):
        raise ValueError(f"it is a JSON {type(value).__name__}: expected an object")
    if b"\\u" in raw and not _is_unicode(value):
        raise ValueError("it holds half of a surrogate pair")
    return value


def _parse(raw: bytes) -> dict[str, object]:
    if raw[:1] != b"{":
        raise BadHeader(f"the header starts with {raw[:1]!r}: expected an opening brace")
    try:
        return _parse_quickly(raw) or parse_object(raw)
    except RecursionError as err:
        raise BadHeader("the header is nested too deeply") from err
    except ValueError as err:
        raise BadHeader(f"the header is no JSON object without duplicate keys: {err}") from err


def _parse_quickly(raw: bytes) -> dict[str, object] | None:
    """The same without a call for each object, where counting shows that no key came twice.

    Without escapes every text stands between two quotes. A header that `_check_layout` takes has
    five texts for each tensor; a key that came twice was dropped with its text, and is missed.
    Metadata that is no object of texts has another number of them: it goes the slow way.
    """
    if b"\\" in raw:
        return None
    document = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    num_tensors, beside = len(document), 0
    if "__metadata__" in document:
        metadata = document["__metadata__"]
        if not _is_metadata(metadata):
            return None
        num_tensors, beside = num_tensors - 1, 1 + 2 * len(metadata)
    return document if raw.count(b'"') == 2 * (5 * num_tensors + beside) else None


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("duplicate key")
    return result


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _is_unicode(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _check_metadata(value: object) -> None:
    if value is not None and not _is_metadata(value):
        raise BadHeader("__metadata__ is no object of texts")


def _is_metadata(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(v, str) for v in value.values())


def _check_layout(document: dict[str, object], *, start: int, end: int) -> FileHeader:
    tensors: dict[str, TensorInfo] = {}
    spans: dict[str, tuple[int, int]] = {}
    position, in_order = 0, True
    for name, entry in document.items():
        info, begin, stop = _entry(name, entry)
        tensors[name] = info
        spans[name] = (begin + start, stop + start)
        if begin != position:
            in_order = False
        position = stop
    if not in_order:
        position = _end_of(spans, start)
    if position != end - start:
        raise BadHeader(f"the tensors end at byte {position} of {end - start}")
    return FileHeader(tensors, spans)


def _end_of(spans: Mapping[str, tuple[int, int]], start: int) -> int:
    """Where tensors end that are named in another order than they lie."""
    position = start
    for (begin, stop), name in sorted(zip(spans.values(), spans, strict=True)):
        if begin != position:
            raise BadHeader(
                f"tensor '{shown(name)}' starts at byte {begin - start}: "
                f"expected {position - start}"
            )
        position = stop
    return position - start


def _entry(name: str, entry: Any) -> tuple[TensorInfo, int, int]:
    """One entry; the straight way for two dimensions, since it is taken a thousand times.

    Any JSON: what is no object has none of the fields, and that costs less than to ask first.
    """
    try:
        dtype, (rows, columns), (begin, end) = _fields(entry)
        plain = type(rows) is type(columns) is type(begin) is type(end) is int
        if plain and 0 <= rows < _MAX_SIZE and 0 <= columns < _MAX_SIZE and begin >= 0:
            size_bytes = rows * columns * _ITEM_BYTES[dtype]
            if end - begin == size_bytes and len(entry) == 3:
                return _new_info(TensorInfo, (dtype, (rows, columns))), begin, end
    except (TypeError, ValueError, KeyError):
        pass
    return _any_entry(name, entry)


def _any_entry(name: str, entry: object) -> tuple[TensorInfo, int, int]:
    if type(entry) is not dict or entry.keys() != _FIELD_NAMES:
        raise BadHeader(f"tensor '{shown(name)}': expected dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _ITEM_BYTES:
        raise BadHeader(f"tensor '{shown(name)}' has the unknown dtype {_brief(dtype)}")
    if not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2:
        raise BadHeader(
            f"tensor '{shown(name)}': shape {_brief(shape)}, data_offsets {_brief(offsets)} "
            "are no sizes"
        )
    begin, end = offsets
    if end - begin != math.prod(shape) * _ITEM_BYTES[dtype]:
        raise BadHeader(
            f"tensor '{shown(name)}': {end - begin} bytes do not hold {dtype} {_brief(shape)}"
        )
    return TensorInfo(dtype, tuple(shape)), begin, end


def _are_sizes(value: object) -> bool:
    if not isinstance(value, list) or len(value) > _MAX_DIMENSIONS:
        return False
    return all(type(item) is int and 0 <= item < _MAX_SIZE for item in value)


def _brief(value: object) -> str:
    try:
        return shown(repr(value)[:_MAX_SHOWN])
    except (RecursionError, ValueError):  # nested too deeply, or an integer of too many digits
        return f"a {type(value).__name__}"
