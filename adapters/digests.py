"""The two digests of an adapter and the JSON they are made of. Pure.

`weights_digest` names what the adapter computes: per module in name order the name, the effective
scale, and dtype, shape and bytes of both factors; nothing else. So saving again with another PEFT,
or spelling the same scale by another alpha, keeps it. `version_digest` names what was shipped:
weights, config bytes, skill files and card. Evidence is in neither; it is added later.

Refuses to own reading files (`artifact.py`). The byte layout below is frozen: changing it renames
everything ever stored. torch is imported on use: a listing or a gateway needs no tensors.
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from .delta import AdapterDelta

_WEIGHTS_TAG = b"skillweave.weights/1\n"
_VERSION_TAG = "skillweave.version/1"


@dataclass(frozen=True)
class FileDigest:
    """What a manifest says about one file: SHA-256 of its bytes (hex) and its executable bit."""

    sha256: str
    executable: bool = False


def sha256_hex(data: bytes) -> str:
    """SHA-256 as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def canonical_json(value: object) -> bytes:
    """The one spelling of a JSON value: keys sorted, no spaces, UTF-8, no NaN.

    Raises:
        ValueError: NaN or infinity, or text that is not valid Unicode.
        TypeError: something that JSON cannot say.
    """
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode("utf-8")


def weights_digest(delta: "AdapterDelta") -> str:
    """SHA-256 over what the adapter computes.

    Layout after a tag line, per module in name order: name (length-prefixed UTF-8), scale
    (float64), then for down and up: dtype name (length-prefixed), number of dimensions (u32), each
    dimension (u64), number of bytes (u64), bytes. Little-endian throughout.
    """
    digest = hashlib.sha256(_WEIGHTS_TAG)
    for name in sorted(delta):
        module = delta[name]
        digest.update(_prefixed(name) + struct.pack("<d", module.scale + 0.0))
        for tensor in (module.down_RI, module.up_OR):
            _update_tensor(digest, tensor)
    return digest.hexdigest()


def version_digest(
    weights: str, config: bytes, *, skill: Mapping[str, FileDigest], card: object
) -> str:
    """SHA-256 of the manifest of one shipped version.

    Args:
        weights: the `weights_digest`.
        config: the bytes of the adapter's config file.
        skill: relative POSIX path -> digest, for every file of the skill folder; empty for none.
        card: the JSON document of the card as it is stored (not re-validated, so that a later
            default in the card's schema does not rename old versions).
    """
    manifest = {
        "format": _VERSION_TAG,
        "weights_digest": weights,
        "config_sha256": sha256_hex(config),
        "skill": {path: [f.sha256, f.executable] for path, f in skill.items()},
        "card": card,
    }
    return sha256_hex(canonical_json(manifest))


def _prefixed(text: str) -> bytes:
    data = text.encode("utf-8")
    return struct.pack("<I", len(data)) + data


def _update_tensor(digest: "hashlib._Hash", tensor: "Tensor") -> None:
    import torch

    flat = tensor.detach().cpu().contiguous().reshape(-1)
    shape = tuple(tensor.shape)
    head = _prefixed(str(tensor.dtype).removeprefix("torch."))
    head += struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    head += struct.pack("<Q", flat.numel() * flat.element_size())
    digest.update(head)
    digest.update(flat.view(torch.uint8).numpy().data)
