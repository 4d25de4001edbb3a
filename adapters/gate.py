"""The gate at every door: what an adapter folder must be before anything uses it.

Safetensors only; plain files only; config and header before any tensor; every module name and
shape in the base; finite numbers; the base it was made for. All problems come in one report.
Refuses to own the single rules (`folders.py`, `peft_config.py`, `peft_header.py`, `base.py`).
To add a rule: a function that returns problems, called in `check_adapter`.

Codes: missing_folder missing_config missing_weights bad_weights_file symlink special_file
too_many_files too_large | bad_config not_lora unknown_config unsupported_config unsafe_pattern
base_rewriting_init dora bias modules_to_save | bad_header module_count unknown_tensor wrong_prefix
wrong_dtype embedding_lora unpaired bad_factors rank_limit rank_mismatch untargeted | unknown_module
wrong_shape | bad_card wrong_base wrong_tokenizer other_precision | not_finite
"""

from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

from safetensors import SafetensorError, safe_open

from .base import BaseIdentity, base_problems
from .card import CARD_FILE, Card, parse_card
from .errors import AdapterRefused, Problem
from .folders import list_folder
from .limits import DEFAULT_LIMITS, Limits
from .peft_header import CONFIG_FILE, WEIGHTS_FILE, ModuleHeader, inspect_peft

_WEIGHT_SUFFIXES = frozenset(
    {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".npz", ".npy", ".h5", ".gguf"}
) | {".safetensors"}
# Left beside an adapter by trainers; no part of what it computes, and never copied.
_LEFTOVERS = frozenset(
    {"training_args.bin", "optimizer.pt", "optimizer.bin", "scheduler.pt", "scaler.pt"}
) | {"rng_state.pth"}
_EXAMPLES = 3


def check_adapter(
    folder: Path,
    base: BaseIdentity | None,
    *,
    card: Card | None = None,
    verified: Collection[str] = (),
    accept_base: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[Problem, ...]:
    """Every reason why this adapter may not be used; empty when there is none.

    Args:
        folder: a PEFT folder, or an artifact (then its `card.json` is checked as well).
        base: the base it shall run on; None checks everything that needs no base.
        card: the card it shall get, where the folder holds none.
        verified: precisions an attestation lists as verified for this adapter.
        accept_base: the user takes another family or precision; shapes and tokenizer still count.
        limits: upper bounds.
    """
    listing = list_folder(folder, limits)
    problems = [*listing.problems, *_check_files(listing.files)]
    if any(p.code in {"missing_folder", "symlink", "special_file"} for p in problems):
        return tuple(problems)  # nothing in such a folder is opened
    seen = inspect_peft(folder, limits)
    problems += _hint_subfolder(seen.problems, listing.files)
    own, bad_card = _own_card(folder, listing.files, limits)
    problems += bad_card
    card = card or own
    if base is not None:
        if card is not None:
            problems += base_problems(card.base, base, verified=verified, accept_base=accept_base)
        problems += _check_modules(seen.modules, base)
    if seen.readable:
        problems += _check_finite(folder / WEIGHTS_FILE)
    return tuple(problems)


def require_adapter(
    folder: Path,
    base: BaseIdentity | None,
    *,
    card: Card | None = None,
    verified: Collection[str] = (),
    accept_base: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> None:
    """`check_adapter`, as a refusal.

    Raises:
        AdapterRefused: with all problems.
    """
    problems = check_adapter(
        folder, base, card=card, verified=verified, accept_base=accept_base, limits=limits
    )
    if problems:
        raise AdapterRefused(problems, str(folder))


def _check_files(files: tuple[str, ...]) -> list[Problem]:
    odd = [
        name
        for name in files
        if "/" not in name
        and PurePosixPath(name).suffix.lower() in _WEIGHT_SUFFIXES
        and name != WEIGHTS_FILE
        and name not in _LEFTOVERS
    ]
    remedy = (
        "load the adapter with peft and save it with save_pretrained(..., safe_serialization=True)"
        ", then remove the file: a pickle can run code when it is opened"
    )
    return [
        Problem("bad_weights_file", f"{name}: only {WEIGHTS_FILE} is taken", remedy) for name in odd
    ]


def _hint_subfolder(faults: tuple[Problem, ...], files: tuple[str, ...]) -> list[Problem]:
    inner = [str(PurePosixPath(f).parent) for f in files if f.endswith(f"/{CONFIG_FILE}")]
    if not inner:
        return list(faults)
    hint = f"the folder holds an adapter in {', '.join(inner[:_EXAMPLES])}; give that path"
    return [
        Problem(p.code, p.message, hint if p.code.startswith("missing_") else p.remedy)
        for p in faults
    ]


def _own_card(
    folder: Path, files: tuple[str, ...], limits: Limits
) -> tuple[Card | None, list[Problem]]:
    if CARD_FILE not in files:
        return None, []
    try:
        size = (folder / CARD_FILE).stat().st_size
        if size > limits.config_bytes:
            raise ValueError(f"{size} bytes: at most {limits.config_bytes}")
        return parse_card((folder / CARD_FILE).read_bytes()), []
    except (ValueError, RecursionError) as err:
        return None, [Problem("bad_card", f"{CARD_FILE}: {err}", "remove it, or write it again")]


def _check_modules(modules: Mapping[str, ModuleHeader], base: BaseIdentity) -> list[Problem]:
    unknown = [name for name in modules if name not in base.modules]
    wrong = [
        f"{name} (adapter {list(module.shape)}, base {list(base.modules[name])})"
        for name, module in modules.items()
        if name in base.modules and base.modules[name] != module.shape
    ]
    remedy = f"use the base it was trained on; this one is {base.family_digest}"
    return [
        Problem(code, f"{len(names)} module(s) {what}: {_shown(names)}", remedy)
        for code, what, names in (
            ("unknown_module", "that the base does not have", unknown),
            ("wrong_shape", "of another shape than the base's", wrong),
        )
        if names
    ]


def _check_finite(path: Path) -> list[Problem]:
    import torch  # on use: a gateway that only lists needs no tensors

    try:
        with safe_open(path, framework="pt") as file:
            names = sorted(file.keys())
            bad = [n for n in names if not bool(torch.isfinite(file.get_tensor(n).double()).all())]
    except SafetensorError as err:
        return [Problem("bad_header", f"{WEIGHTS_FILE}: {err}", "save it again with peft")]
    if not bad:
        return []
    text = f"{len(bad)} tensor(s) hold NaN or infinity: {_shown(bad)}"
    return [Problem("not_finite", text, "the training diverged: train again with a lower rate")]


def _shown(names: list[str]) -> str:
    return ", ".join(names[:_EXAMPLES]) + (", ..." if len(names) > _EXAMPLES else "")
