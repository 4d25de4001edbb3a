"""A real vLLM that loads adapters on request: the other side of the bench `gate`.

Owns a random base of many small layers, one adapter on all of them, and the engine's life. Refuses
to own figures (`gate.py`).
"""

import contextlib
import json
import secrets
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

from ...adapters import BaseIdentity, Delta, EngineError, write_peft
from ...adapters.peft_folder.header import CONFIG_FILE
from ...distill.tiny_base import tiny_base_path
from ...server.config import ServeConfig
from ...server.engines.flags import Facts
from ...server.engines.launch import Launch, Place, plan_vllm
from ...server.listen import free_port

LAYERS, HIDDEN, RANK = 36, 512, 16
"""As many layers as an 8B model and an eighth of its width: loading costs the engine little."""
START_S = 300.0
_SLOTS = 4


def make_base(folder: Path) -> Path:
    """A random Qwen3 of 36 small layers that reads the shipped vocabulary."""
    folder.mkdir(parents=True)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copyfile(tiny_base_path() / name, folder / name)
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=-(-len(AutoTokenizer.from_pretrained(folder)) // 64) * 64,
        hidden_size=HIDDEN,
        intermediate_size=2 * HIDDEN,
        num_hidden_layers=LAYERS,
        num_attention_heads=8,
        num_key_value_heads=4,
        head_dim=64,
        max_position_embeddings=256,
        tie_word_embeddings=True,
        eos_token_id=2,
        pad_token_id=0,
        bos_token_id=None,
    )
    model = Qwen3ForCausalLM(config)  # type: ignore[no-untyped-call]  # transformers has no types
    model.save_pretrained(folder)
    return folder


def make_adapter(base: BaseIdentity, folder: Path) -> Path:
    """A random adapter on every projection, float32, its config as peft writes it."""
    generator = torch.Generator().manual_seed(0)
    delta = {
        name: Delta(
            torch.randn(RANK, into, generator=generator),
            torch.randn(out, RANK, generator=generator),
            2.0,
        )
        for name, (out, into) in base.modules.items()
        if name.endswith("_proj")
    }
    write_peft(delta, folder)
    config = json.loads((folder / CONFIG_FILE).read_text())
    config["target_modules"] = sorted({name.rpartition(".")[2] for name in delta})
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
        self._post("/v1/load_lora_adapter", body)

    def _post(self, path: str, body: Mapping[str, object]) -> None:
        request = urllib.request.Request(
            f"{self.url}{path}",
            data=json.dumps(body).encode(),
            headers={
                "content-type": "application/json",
                "authorization": f"Bearer {self.secret}",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                reply.read()
        except OSError as err:
            raise EngineError(f"the engine refused {body}: {err}") from err


@contextlib.contextmanager
def running_engine(base: Path, scratch: Path) -> Iterator[Engine]:
    """Start vLLM on a base with our flags, yield when it answers, end it.

    Raises:
        EngineError: it does not come up; its log is named.
    """
    config = ServeConfig(base=str(base), threads=1, max_model_len=256, lora_slots=_SLOTS)
    port = free_port()
    place = Place(port=port, secret=secrets.token_hex(16), tmp=scratch)
    launch = plan_vllm(config, Facts(device="cpu", max_rank=RANK), place)
    with started(launch, f"http://127.0.0.1:{port}", scratch / "engine.log") as url:
        yield Engine(url, place.secret)


@contextlib.contextmanager
def started(launch: Launch, url: str, log: Path) -> Iterator[str]:
    """Start an engine, yield its address when it answers, end it.

    Raises:
        EngineError: it does not come up; the end of its log is in the message.
    """
    with log.open("wb") as sink:
        process = subprocess.Popen(launch.command, env=dict(launch.env), stdout=sink, stderr=sink)
        try:
            _wait(process, url, log)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=5):
            return
        time.sleep(0.5)
    tail = log.read_text(errors="replace")[-2000:]
    raise EngineError(f"vLLM did not come up within {START_S} s; its log ends:\n{tail}")
