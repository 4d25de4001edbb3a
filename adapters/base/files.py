"""Read a model folder: weights, module shapes, tokenizer, chat template, precision.

Owns the file names that transformers writes. No tensor is ever read. Refuses to own what the facts
mean (`identity.py`).
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from ..digests import canonical_json, sha256_hex
from ..errors import UsageError
from ..limits import GiB, Limits, MiB
from ..peft_folder.safetensors_header import BadHeader, TensorInfo, read_header

_INDEX = "model.safetensors.index.json"
_TOKENIZER_FILES = (
    ("tokenizer.json",),
    ("tokenizer.model",),
    ("vocab.json", "merges.txt"),
    ("vocab.txt",),
)
# A linear layer and an embedding look alike in a header; these names are embeddings.
_EMBEDDINGS = re.compile(r"(?:.*\.)?(?:embed_tokens|tok_embeddings|word_embeddings|wte|wpe)")
_PRECISIONS = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}
_BASE_LIMITS = Limits(tensors_bytes=1024 * GiB, header_bytes=64 * MiB)


def weight_files(path: Path) -> list[Path]:
    """The safetensors files of a model, by name.

    Raises:
        UsageError: no folder, none there, or one of the index is missing.
    """
    if not path.is_dir():
        raise UsageError(f"base {str(path)!r} is no folder: expected a downloaded model")
    if (path / _INDEX).is_file():
        files = _indexed(path)
    else:
        files = [file for file in path.glob("*.safetensors") if file.is_file()]
    missing = [file.name for file in files if not file.is_file()]
    if missing or not files:
        raise UsageError(
            f"base {str(path)!r} has no complete safetensors weights (missing: "
            f"{', '.join(missing) or '*.safetensors'}): download it again, or save it with "
            "save_pretrained"
        )
    return sorted(files, key=lambda file: file.name)


def module_shapes(files: list[Path]) -> dict[str, tuple[int, int]]:
    """Linear modules and the shapes `(O, I)` of their weights, from headers alone.

    Raises:
        UsageError: a file is not safetensors.
    """
    shapes: dict[str, tuple[int, int]] = {}
    for file in files:
        for key, info in _header(file).items():
            module = key.removesuffix(".weight")
            if module != key and len(info.shape) == 2 and not _EMBEDDINGS.fullmatch(module):
                shapes[module] = (info.shape[0], info.shape[1])
    return shapes


def read_model_config(path: Path) -> dict[str, object]:
    """The model's config.json.

    Raises:
        UsageError: missing, or no JSON object.
    """
    return _json_object(path / "config.json")


def precision_of(config: Mapping[str, object]) -> str:
    """How the files hold the weights: a quantisation's name, else fp32, bf16 or fp16."""
    quantised = config.get("quantization_config")
    if isinstance(quantised, dict):
        if quantised.get("load_in_4bit"):
            return str(quantised.get("bnb_4bit_quant_type", "nf4"))
        return str(quantised.get("quant_method", "quantised"))
    dtype = str(config.get("dtype") or config.get("torch_dtype") or "float32")
    return _PRECISIONS.get(dtype, dtype)


def architecture_of(config: Mapping[str, object]) -> str:
    """The model class the config names, or an empty text."""
    names = config.get("architectures")
    return str(names[0]) if isinstance(names, list) and names else ""


def tokenizer_digest(path: Path) -> str:
    """Digest over the bytes of the tokenizer's files.

    Raises:
        UsageError: there is no tokenizer.
    """
    for group in _TOKENIZER_FILES:
        files = [path / name for name in group]
        if all(file.is_file() for file in files):
            hashes = [[file.name, sha256_hex(file.read_bytes())] for file in files]
            return sha256_hex(canonical_json(hashes))
    raise UsageError(f"base {str(path)!r} has no tokenizer (tokenizer.json or older forms)")


def template_digest(path: Path) -> str:
    """Digest of the chat template's text; that of the empty text where there is none."""
    file = path / "chat_template.jinja"
    if file.is_file():
        return sha256_hex(file.read_bytes())
    config = path / "tokenizer_config.json"
    template = _json_object(config).get("chat_template") if config.is_file() else None
    if isinstance(template, str):
        return sha256_hex(template.encode())
    return sha256_hex(canonical_json(template) if template else b"")


def _indexed(path: Path) -> list[Path]:
    mapping = _json_object(path / _INDEX).get("weight_map")
    names = set(mapping.values()) if isinstance(mapping, dict) else set()
    if not names or not all(isinstance(n, str) and Path(n).name == n for n in names):
        raise UsageError(f"{path / _INDEX}: expected a weight_map to files of this folder")
    return [path / str(name) for name in names]


def _header(file: Path) -> dict[str, TensorInfo]:
    try:
        return read_header(file, _BASE_LIMITS)
    except BadHeader as err:
        raise UsageError(f"{file} is no safetensors file: {err}; download it again") from err


def _json_object(file: Path) -> dict[str, object]:
    try:
        value = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as err:
        raise UsageError(f"{file} cannot be read as JSON: {err}; download the base again") from err
    if not isinstance(value, dict):
        raise UsageError(f"{file} holds a JSON {type(value).__name__}: expected an object")
    return value
