"""A real vLLM that loads adapters on request: the other side of the bench `gate`.

Owns a random base of many small layers, one adapter on all of them, and the engine's life. Refuses
to own figures (`gate.py`).
"""

import contextlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...adapters import BaseIdentity
from ...adapters.peft_folder.header import CONFIG_FILE
from ...server.config import ServeConfig
from ...server.engines.flags import Facts
from ...server.engines.launch import Place, plan_vllm
from ...server.supervision.listen import free_port
from .engine_process import post, started
from .random_base import random_adapter, random_base

LAYERS, HIDDEN, RANK = 36, 512, 16
"""As many layers as an 8B model and an eighth of its width: loading costs the engine little."""
LENGTH = 256
_SLOTS = 4


def make_base(folder: Path) -> Path:
    """A random Qwen3 of 36 small layers."""
    return random_base(
        folder, hidden=HIDDEN, layers=LAYERS, wide=2 * HIDDEN, key_heads=4, length=LENGTH
    )


def make_adapter(base: BaseIdentity, folder: Path) -> Path:
    """A random adapter on every projection, float32, its config as peft writes it."""
    random_adapter(folder, base.modules, rank=RANK, seed=0, scale=2.0)
    config = json.loads((folder / CONFIG_FILE).read_text())
    config["target_modules"] = sorted(
        {name.rpartition(".")[2] for name in base.modules if name.endswith("_proj")}
    )
    (folder / CONFIG_FILE).write_text(json.dumps(config, indent=2))
    return folder


@dataclass
class Engine:
    """A running engine. Every load gets a name of its own, so that none is answered from memory."""

    url: str
    secret: str
    loads: int = 0

    def load(self, folder: Path) -> None:
        """Load an adapter; returns when the engine has read it.

        Raises:
            EngineError: it was refused.
        """
        self.loads += 1
        body = {"lora_name": f"bench-{self.loads}", "lora_path": str(folder)}
        post(f"{self.url}/v1/load_lora_adapter", body, key=self.secret)


@contextlib.contextmanager
def running_engine(base: Path, scratch: Path) -> Iterator[Engine]:
    """Start vLLM on a base with our flags, yield when it answers, end it.

    Raises:
        EngineError: it does not come up; its log is named.
    """
    config = ServeConfig(base=str(base), threads=1, max_model_len=LENGTH, lora_slots=_SLOTS)
    port = free_port()
    place = Place(port=port, secret=secrets.token_hex(16), tmp=scratch)
    launch = plan_vllm(config, Facts(device="cpu", max_rank=RANK), place)
    with started(launch, f"http://127.0.0.1:{port}", scratch / "engine.log") as url:
        yield Engine(url, place.secret)
