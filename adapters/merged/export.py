"""`export --merged`: base + update as an ordinary model folder, for engines that know no LoRA.

Owns which files such a folder has and what is refused. Shards are streamed (`stream.py`), so
that memory does not grow with the model; the folder appears under its name only when it is whole.
Refuses to own the update itself: a low-rank delta or the elements of a graft, both are added alike.

Not taken along: weights in other formats, optimizer states, model cards, code that the config does
not ask for.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..algebra import SparseDelta
from ..base.files import read_model_config, weight_files
from ..delta import Delta
from ..errors import AdapterRefused, Problem
from ..file_ops import DiskOps
from ..new_folder import check_free, new_folder
from ..peft_folder.safetensors_header import TensorInfo
from .stream import Rounding, Rows, can_add_to, header_of, merge_file

Update = Mapping[str, Delta] | Mapping[str, SparseDelta]
"""Module name in the base -> what is added to its weight: low-rank, or single elements."""

NOTE_FILE = "merged_from.json"
"""What the folder was made of, for people and for whoever asks later."""

_SINGLE, _INDEX = "model.safetensors", "model.safetensors.index.json"
_COMPANIONS = (
    "config.json",
    "generation_config.json",
    "tokenizer*",
    "spiece.model",
    "*.bpe.model",
    "vocab.*",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.*",
    "additional_chat_templates/*",
    "*processor_config.json",
    "LICENSE*",
    "NOTICE*",
    _INDEX,
)
_EXAMPLES = 3
_CHUNK_BYTES = 1 << 20
_TIED = ("lm_head", "embed_tokens")


@dataclass(frozen=True)
class Merged:
    """A model folder that was written.

    `rounding` is the norm of what casting back to the base's dtypes took away, relative to the norm
    of the update; 0 for a base in float32. `files` are the names in the folder.
    """

    path: Path
    modules: int
    dtypes: tuple[str, ...]
    rounding: float
    size_bytes: int
    files: tuple[str, ...]


def export_merged(
    base: Path,
    update: Update,
    out: Path,
    *,
    note: Mapping[str, object] | None = None,
    say: Callable[[str], None] | None = None,
) -> Merged:
    """Write `base + update` as a model that transformers and vLLM load as it is.

    Each updated weight is `cast(float32(W) + D)` in the weight's own dtype.

    Args:
        base: a model folder with unquantised safetensors weights, sharded or not.
        update: module name in the base -> what is added to its weight.
        out: made; must not exist.
        note: goes into `merged_from.json`, beside the rounding.
        say: told of every shard.

    Raises:
        AdapterRefused: a module that the base lacks, of another shape, tied, or held in a dtype to
            which nothing can be added; a quantised base; all in one report. A sum that is NaN or
            infinite in its dtype.
        Conflict: `out` exists. UsageError: `base` is no model. StoreError: the disk is unwilling.
    """
    check_free(out)
    config = read_model_config(base)
    files = _weights(base)
    headers = {file: header_of(file) for file in files}
    problems = _problems(config, headers, update)
    if problems:
        raise AdapterRefused(problems, f"merging into {base}")
    return _write(base, update, out, headers=headers, note=note or {}, say=say or _quiet)


def _write(
    base: Path,
    update: Update,
    out: Path,
    *,
    headers: Mapping[Path, Mapping[str, TensorInfo]],
    note: Mapping[str, object],
    say: Callable[[str], None],
) -> Merged:
    ops = DiskOps()
    updates = {f"{name}.weight": _rows(module) for name, module in update.items()}
    known = {info for header in headers.values() for n, info in header.items() if n in updates}
    dtypes = tuple(sorted({info.dtype for info in known}))
    with new_folder(out, ops=ops) as partial:
        ops.make_folder(partial)
        rounding = Rounding()
        for number, file in enumerate(headers, 1):
            say(f"{file.name} ({number} of {len(headers)})")
            rounding += merge_file(file, partial / file.name, updates)
        for file in companions(base):
            target = partial / file.relative_to(base)
            ops.make_folder(target.parent)
            ops.write(target, _chunks(file))
            ops.sync_folder(target.parent)
        told = {**note, "dtypes": dtypes, "modules": len(updates), "rounding": rounding.relative}
        document = json.dumps(told, indent=2, sort_keys=True, allow_nan=False) + "\n"
        ops.write(partial / NOTE_FILE, [document.encode()])
    written = sorted(file for file in out.rglob("*") if file.is_file())
    return Merged(
        path=out,
        modules=len(updates),
        dtypes=dtypes,
        rounding=rounding.relative,
        size_bytes=sum(file.stat().st_size for file in written),
        files=tuple(str(file.relative_to(out)) for file in written),
    )


def companions(base: Path) -> list[Path]:
    """The files beside the weights that a model needs: config, tokenizer, chat template, licence;
    and its own code where the config asks for it.
    """
    patterns = list(_COMPANIONS)
    if "auto_map" in read_model_config(base):
        patterns.append("*.py")
    own_code = () if "*.py" in patterns else (".py",)
    found = {file for pattern in patterns for file in base.glob(pattern)}
    return sorted(file for file in found if file.is_file() and file.suffix not in own_code)


def quantised(config: Mapping[str, object]) -> list[Problem]:
    """What stands against merging into a base with this config: packed weights."""
    if not config.get("quantization_config"):
        return []
    return [
        Problem(
            "quantised_base",
            "the base is quantised: an update cannot be added to its packed weights",
            "merge into the original, unquantised weights and quantise the result; or serve the "
            "adapter beside the quantised base",
        )
    ]


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as reader:  # also through a link, as hub caches have them
        while chunk := reader.read(_CHUNK_BYTES):
            yield chunk


def _weights(base: Path) -> list[Path]:
    files = weight_files(base)
    single = base / _SINGLE
    # Beside it lie copies in other layouts, which nobody loads together with it.
    return [single] if single in files and not (base / _INDEX).is_file() else files


def _rows(module: Delta | SparseDelta) -> Rows:
    def low_rank(begin: int, end: int) -> Tensor:
        assert isinstance(module, Delta)
        return module.scale * (module.up_OR[begin:end].float() @ module.down_RI.float())

    def elements(begin: int, end: int) -> Tensor:
        assert isinstance(module, SparseDelta)
        num_in = module.shape[1]
        bounds = torch.tensor([begin * num_in, end * num_in])
        first, last = torch.searchsorted(module.indices_K, bounds).tolist()
        flat = torch.zeros((end - begin) * num_in, dtype=module.values_K.dtype)
        flat[module.indices_K[first:last] - begin * num_in] = module.values_K[first:last]
        return flat.view(end - begin, num_in)

    return low_rank if isinstance(module, Delta) else elements


def _problems(
    config: Mapping[str, object],
    headers: Mapping[Path, Mapping[str, TensorInfo]],
    update: Update,
) -> list[Problem]:
    if packed := quantised(config):
        return packed
    tensors = {name: info for header in headers.values() for name, info in header.items()}
    wanted = {name: tensors.get(f"{name}.weight") for name in update}
    tied = bool(config.get("tie_word_embeddings"))
    shapes = {name: module.shape for name, module in update.items()}
    kinds = (
        (
            "tied_embeddings",
            "tied to another weight of this base, which would change as well",
            "train without this module",
            [n for n in wanted if tied and n.rsplit(".", 1)[-1] in _TIED],
        ),
        (
            "unknown_module",
            "that the base does not have",
            "use the base that the adapter was made for",
            [n for n, info in wanted.items() if info is None],
        ),
        (
            "wrong_shape",
            "of another shape than the base's",
            "use the base that the adapter was made for",
            [n for n, info in wanted.items() if info is not None and info.shape != shapes[n]],
        ),
        (
            "wrong_dtype",
            "whose weights are no plain floating-point numbers",
            "merge into the original weights in float32, bfloat16 or float16",
            [n for n, info in wanted.items() if info is not None and not can_add_to(info)],
        ),
    )
    return [
        Problem(code, f"{len(names)} module(s) {what}: {_shown(names)}", remedy)
        for code, what, remedy, names in kinds
        if names
    ]


def _shown(names: list[str]) -> str:
    return ", ".join(names[:_EXAMPLES]) + (", ..." if len(names) > _EXAMPLES else "")


def _quiet(_: str) -> None:
    """Say nothing."""
