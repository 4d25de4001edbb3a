"""What may lie in an adapter's folder beside its two files, and its card.

Owns the names that are refused and the reading of `card.json`. Refuses to own links and floods
(`folders.py`) and the two files themselves (`peft_folder/header.py`).
"""

from pathlib import Path, PurePosixPath

from ..card import CARD_FILE, Card, parse_card
from ..errors import Problem
from ..folders import read_plain
from ..limits import Limits
from ..peft_folder.header import CONFIG_FILE, WEIGHTS_FILE
from ..text import shown, some

_WEIGHT_SUFFIXES = frozenset(
    {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".npz", ".npy", ".h5", ".gguf"}
) | {".safetensors"}
# Left beside an adapter by trainers; no part of what it computes, and never copied.
_LEFTOVERS = frozenset(
    {"training_args.bin", "optimizer.pt", "optimizer.bin", "scheduler.pt", "scaler.pt"}
) | {"rng_state.pth"}
_OWN = (CONFIG_FILE, WEIGHTS_FILE, CARD_FILE)
_TO_SAFETENSORS = (
    "load the adapter with peft and save it with save_pretrained(..., safe_serialization=True)"
    ", then remove the file: a pickle can run code when it is opened"
)


def file_problems(files: tuple[str, ...]) -> list[Problem]:
    """Other weights than the one file we take, and spellings of our names that are not ours."""
    top = [name for name in files if "/" not in name and name not in _OWN]
    doubles = [name for name in top if name.lower() in _OWN]
    odd = [
        name
        for name in top
        if PurePosixPath(name).suffix.lower() in _WEIGHT_SUFFIXES
        and name not in _LEFTOVERS
        and name not in doubles
    ]
    return [
        *(
            Problem(
                "bad_weights_file", f"{shown(n)}: only {WEIGHTS_FILE} is taken", _TO_SAFETENSORS
            )
            for n in odd
        ),
        *(
            Problem(
                "case_variant",
                f"{shown(n)}: expected {n.lower()}, to the letter; some disks take both for one",
                "rename the file, or remove it",
            )
            for n in doubles
        ),
    ]


def hint_subfolder(faults: tuple[Problem, ...], files: tuple[str, ...]) -> list[Problem]:
    """The same problems; where a file is missing, the remedy names the subfolders that have it."""
    inner = [str(PurePosixPath(f).parent) for f in files if f.endswith(f"/{CONFIG_FILE}")]
    if not inner:
        return list(faults)
    hint = f"the folder holds an adapter in {some(inner)}; give that path"
    return [
        Problem(p.code, p.message, hint if p.code.startswith("missing_") else p.remedy)
        for p in faults
    ]


def own_card(
    folder: Path, files: tuple[str, ...], limits: Limits
) -> tuple[Card | None, list[Problem]]:
    """The card that lies in the folder, where there is one."""
    if CARD_FILE not in files:
        return None, []
    try:
        return parse_card(read_plain(folder / CARD_FILE, limits.config_bytes)), []
    except (ValueError, RecursionError, OSError) as err:
        text = "; ".join(shown(line.strip()) for line in str(err).splitlines()[:3])
        return None, [Problem("bad_card", f"{CARD_FILE}: {text}", "remove it, or write it again")]
