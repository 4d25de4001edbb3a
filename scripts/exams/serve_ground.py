"""A whole server for the exam `serve`, seen as an operating system sees it: processes and sockets.

Owns the adapters it serves, finding its processes, and what must be gone when it has ended.
Refuses to ask it anything (`serve_crowd.py`).
"""

import contextlib
import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import psutil
import torch

from ...adapters import Card, Delta, Store, identify_base, write_peft
from ...distill.tiny_base import tiny_base_path
from ...server.config import ServeConfig
from ...server.running import Running, serve_in_background
from ..bench.serve_sides import fake_loads

Kind = Literal["fake", "vllm"]
NAME = "crowd"
MEMORY = Path("/dev/shm")
STEPS = "skillweave-steps-"
_MODULE = "model.layers.4.self_attn.v_proj"


@dataclass
class Ground:
    """A running server. `folders[n - 1]` holds version `n` of `NAME`."""

    running: Running
    store: Store
    folders: list[Path]
    extra: dict[str, object] = field(default_factory=dict)

    @property
    def models(self) -> list[str]:
        """What is asked for: the base, and every version."""
        return ["base", *(f"{NAME}@{n + 1}" for n in range(len(self.folders)))]

    @property
    def supervisor(self) -> psutil.Process:
        """The parent of everything."""
        return psutil.Process(self.running.pids[0])

    def gateway(self) -> psutil.Process:
        """The gateway of this moment."""
        (found,) = [child for child in self.supervisor.children() if _says(child, ".gateway")]
        return found

    def engines(self) -> list[psutil.Process]:
        """The engines of this moment, without their keepers."""
        keepers = [child for child in self.supervisor.children() if _says(child, "keeper.py")]
        return [engine for keeper in keepers for engine in keeper.children()]

    def run_dir(self) -> Path:
        """The folder of this run, from the gateway's command line."""
        words = self.gateway().cmdline()
        return Path(words[words.index("--state") + 1]).parent

    def pids(self) -> list[int]:
        """Every process of the server."""
        below = self.supervisor.children(recursive=True)
        return [self.supervisor.pid, *(child.pid for child in below)]

    def state(self) -> dict[str, object]:
        """GET /admin/state."""
        headers = {"x-skillweave-admin-key": self.running.admin_key}
        request = urllib.request.Request(f"{self.running.root}/admin/state", headers=headers)
        with urllib.request.urlopen(request, timeout=30) as reply:
            return dict(json.load(reply))

    def loads(self) -> list[str]:
        """Names that the fake engine was told to load, in order."""
        return fake_loads(self.running)


@contextlib.contextmanager
def serving(
    home: Path, *, kind: Kind = "fake", adapters: int = 4, **more: object
) -> Iterator[Ground]:
    """A server on the shipped base, with random adapters of which every one answers differently.

    Args:
        more: further fields of `ServeConfig`.
    """
    base = tiny_base_path()
    identity = identify_base(base)
    store = Store(home / "store")
    folders = []
    for seed in range(1, adapters + 1):
        folder = make_adapter(home / f"adapter-{seed}", seed=seed)
        store.put(folder, card=Card(kind="skill", base=identity.for_card()), name=NAME)
        folders.append(folder)
    fields = {"base": str(base), "store": store.root, "port": 0, "engine": kind, **more}
    with serve_in_background(ServeConfig.model_validate(fields)) as running:
        yield Ground(running, store, folders)


def make_adapter(folder: Path, *, seed: int, strength: float = 2000.0) -> Path:
    """A rank-1 update of the last layer's values that outshouts the base, in a direction by seed.

    Greedy answers of two seeds differ, and stay far from a tie.
    """
    generator = torch.Generator().manual_seed(seed)
    down_RI = torch.randn(1, 256, generator=torch.Generator().manual_seed(0)) / 256
    up_OR = torch.randn(128, 1, generator=generator)
    write_peft({_MODULE: Delta(down_RI, strength * up_OR, 1.0)}, folder)
    return folder


def left_over(pids: list[int], run_dir: Path, steps: set[Path], *, wait_s: float) -> list[str]:
    """What of an ended server is still there after `wait_s`: processes, its folder, its steps.

    Args:
        steps: folders of steps that were there before it began.
    """
    end = time.monotonic() + wait_s
    while True:
        left = [f"process {pid}" for pid in pids if _alive(pid)]
        left += [str(run_dir)] if run_dir.exists() else []
        left += [str(path) for path in step_folders() - steps]
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.05)


def step_folders() -> set[Path]:
    """Folders in memory in which steps of runs lie."""
    return set(MEMORY.glob(f"{STEPS}*"))


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _says(process: psutil.Process, word: str) -> bool:
    try:
        return any(part.endswith(word) for part in process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False
