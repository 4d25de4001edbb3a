"""Folders that are no adapter: what is missing, what is besides, links, pipes, names, sizes."""

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

from skillweave.adapters.card import CARD_FILE
from skillweave.adapters.gate.policy import GatePolicy
from skillweave.adapters.limits import Limits
from skillweave.adapters.peft_folder.header import CONFIG_FILE, WEIGHTS_FILE

from .spoiling import Kind, add, kind, limit


def _link(name: str, target: str) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)

    return spoil


def _instead(name: str, make: Callable[[Path], object]) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        make(folder / name)

    return spoil


def _bind_socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's path must be short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def _deep(folder: Path) -> None:
    inner = folder
    for _ in range(40):
        inner /= "d"
    inner.mkdir(parents=True)


def _flood(folder: Path) -> None:
    for number in range(60):
        (folder / f"{number}" / "x").mkdir(parents=True)


def _sparse(folder: Path) -> None:
    os.truncate(folder / WEIGHTS_FILE, 6 << 30)


def _to_subfolder(folder: Path) -> None:
    (folder / "mine").mkdir()
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        (folder / name).rename(folder / "mine" / name)


FOLDERS: dict[str, Kind] = {
    "no folder": kind("missing_folder", shutil.rmtree),
    "a file for a folder": kind(
        "missing_folder", lambda f: (shutil.rmtree(f), f.write_bytes(b"x"))
    ),
    "no config": kind("missing_config", lambda f: (f / CONFIG_FILE).unlink()),
    "no weights": kind("missing_weights", lambda f: (f / WEIGHTS_FILE).unlink()),
    "a folder for a config": kind("missing_config", _instead(CONFIG_FILE, Path.mkdir)),
    "a folder for weights": kind("missing_weights", _instead(WEIGHTS_FILE, Path.mkdir)),
    "weights in a pickle": kind(
        "bad_weights_file missing_weights",
        lambda f: (f / WEIGHTS_FILE).rename(f / "adapter_model.bin"),
    ),
    "a pickle besides": kind("bad_weights_file", add("adapter_model.bin")),
    "a pickle in capitals": kind("bad_weights_file", add("X.PT")),
    "a checkpoint": kind("bad_weights_file", add("model.ckpt")),
    "more safetensors": kind("bad_weights_file", add("new_embeddings.safetensors")),
    "the config twice but for case": kind("case_variant", add("Adapter_Config.json")),
    "the weights twice but for case": kind("case_variant", add("ADAPTER_MODEL.safetensors")),
    "in a subfolder": kind("missing_config missing_weights", _to_subfolder),
    "linked weights": kind("symlink", _link(WEIGHTS_FILE, "/etc/passwd")),
    "a linked config": kind("symlink", _link(CONFIG_FILE, "/etc/passwd")),
    "a linked card": kind("symlink", _link(CARD_FILE, "/etc/passwd")),
    "a linked folder": kind("symlink", _link("skill", "/etc")),
    "a way out": kind("symlink", _link("notes", "../../secret")),
    "a link to nothing": kind("symlink", _link("notes", "nowhere")),
    "a link to itself": kind("symlink", _link("loop", "loop")),
    "a pipe": kind("special_file", lambda f: os.mkfifo(f / "pipe")),
    "a pipe for weights": kind("special_file", _instead(WEIGHTS_FILE, os.mkfifo)),
    "a socket": kind("special_file", lambda f: _bind_socket(f / "s")),
    "a name with a line break": kind("bad_file_name", add("a\nb")),
    "a name that turns round": kind("bad_file_name", add("a\u202etxt.exe")),
    "a name that is no text": kind("bad_file_name", add(os.fsdecode(b"a\xff"))),
    "a name with a backslash": kind("bad_file_name", add("..\\..\\x")),
    "too deep": kind("too_deep", _deep),
    "too many": kind("too_many_files", _flood, policy=GatePolicy(limits=Limits(files=50))),
    "a sparse giant": kind(
        "bad_header too_large", _sparse, policy=GatePolicy(limits=Limits(folder_bytes=1 << 30))
    ),
    "more bytes than allowed": limit("too_large", folder_bytes=1000),
    "a config beyond its limit": limit("too_large", config_bytes=10),
    "weights beyond their limit": limit("bad_header", tensors_bytes=1000),
}
