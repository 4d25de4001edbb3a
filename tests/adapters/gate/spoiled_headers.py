"""Weights that are no safetensors file: cut short, doubled, or with a header that lies."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from skillweave.adapters.peft_folder.header import WEIGHTS_FILE

from .healthy import file_of, healthy_tensors, pack
from .spoiling import A0, B0, Kind, kind


def _header(code: str, change: Callable[[dict[str, Any]], object]) -> Kind:
    def spoil(folder: Path) -> None:
        header, data = pack(healthy_tensors())
        change(header)
        (folder / WEIGHTS_FILE).write_bytes(file_of(header, data))

    return kind(code, spoil)


def _header_bytes(code: str, change: Callable[[bytes], bytes]) -> Kind:
    def spoil(folder: Path) -> None:
        header, data = pack(healthy_tensors())
        raw = change(json.dumps(header).encode())
        (folder / WEIGHTS_FILE).write_bytes(file_of(raw, data))

    return kind(code, spoil)


def _file(code: str, change: Callable[[bytes], bytes]) -> Kind:
    def spoil(folder: Path) -> None:
        path = folder / WEIGHTS_FILE
        path.write_bytes(change(path.read_bytes()))

    return kind(code, spoil)


def _beside_null(times: int, entry: bytes = b"1") -> Callable[[bytes], bytes]:
    """Metadata of null, and a name that comes again so often before its tensor."""

    def change(header: bytes) -> bytes:
        document = json.loads(header)
        del document["__metadata__"]
        again = (b'"' + A0.encode() + b'":' + entry + b",") * times
        return b'{"__metadata__":null,' + again + json.dumps(document).encode()[1:]

    return change


def _field(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda header: header[A0].update({name: value})


FILES: dict[str, Kind] = {
    "empty weights": _file("bad_header", lambda raw: b""),
    "half a length": _file("bad_header", lambda raw: raw[:4]),
    "truncated in the header": _file("bad_header", lambda raw: raw[:100]),
    "truncated in the data": _file("bad_header", lambda raw: raw[:-1]),
    "bytes behind the data": _file("bad_header", lambda raw: raw + b"\0"),
    "a length beyond the file": _file("bad_header", lambda raw: b"\xff" * 7 + b"\x7f" + raw[8:]),
    "a length of all ones": _file("bad_header", lambda raw: b"\xff" * 8 + raw[8:]),
    "a pickle under our name": _file("bad_header", lambda raw: b"\x80\x04\x95" + raw),
    "an archive under our name": _file("bad_header", lambda raw: b"PK\x03\x04" + raw),
    "a header that is no UTF-8": _header_bytes("bad_header", lambda h: h[:-1] + b"\xff}"),
    "a header with a space first": _header_bytes("bad_header", lambda h: b" " + h),
    "a header with a mark first": _header_bytes("bad_header", lambda h: b"\xef\xbb\xbf" + h),
    "a header that is a list": _header_bytes("bad_header", lambda h: b"[" + h + b"]"),
    "a tensor named twice": _header_bytes(
        "bad_header", lambda h: h[:-1] + b', "' + A0.encode() + b'": {}}'
    ),
    "a tensor named twice beside metadata of null": _header_bytes("bad_header", _beside_null(4)),
    "a field named twice beside metadata of null": _header_bytes(
        "bad_header",
        lambda h: _beside_null(0)(h).replace(
            b'"shape": [', b'"shape":[9],"shape":[9],"shape": [', 2
        ),
    ),
    "a tensor named twice with another shape beside metadata of null": _header_bytes(
        "bad_header", _beside_null(1, b'{"dtype":"F32","shape":[9,9]}')
    ),
    "a header nested without end": _header_bytes("bad_header", lambda h: b'{"a":' + b"[" * 200_000),
    "NaN in a header": _header_bytes("bad_header", lambda h: h[:-1] + b', "x": NaN}'),
    "half a surrogate": _header_bytes("bad_header", lambda h: h[:-1] + b', "\\ud800": 1}'),
    "a number of 5000 digits": _header_bytes(
        "bad_header", lambda h: h.replace(b'"shape": [4', b'"shape": [4' + b"0" * 5000, 1)
    ),
    "metadata that is no text": _header("bad_header", lambda h: h.update(__metadata__={"a": 1})),
    "metadata that is a list": _header("bad_header", lambda h: h.update(__metadata__=[])),
    "an unknown dtype": _header("bad_header", _field("dtype", "F33")),
    "a dtype that is a number": _header("bad_header", _field("dtype", 32)),
    "a negative size": _header("bad_header", _field("shape", [-4, -16])),
    "a size that is a fraction": _header("bad_header", _field("shape", [4.0, 16])),
    "a size that is true": _header("bad_header", _field("shape", [True, 64])),
    "sizes that overflow": _header("bad_header", _field("shape", [1 << 40, 1 << 40])),
    "a size beyond 64 bits": _header("bad_header", _field("shape", [1 << 70, 0])),
    "a shape that is a text": _header("bad_header", _field("shape", "4,16")),
    "offsets the wrong way": _header("bad_header", _field("data_offsets", [256, 0])),
    "three offsets": _header("bad_header", _field("data_offsets", [0, 128, 256])),
    "overlapping tensors": _header("bad_header", lambda h: h[B0].update(data_offsets=[0, 256])),
    "a hole between tensors": _header("bad_header", lambda h: h.pop(B0)),
    "a field too many": _header("bad_header", _field("strides", [1, 1])),
    "a field too few": _header("bad_header", lambda h: h[A0].pop("dtype")),
}
