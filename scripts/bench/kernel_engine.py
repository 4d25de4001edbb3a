"""Engines with our LoRA kernel, with vLLM's own, and without LoRA: the sides of the bench `kernel`.

Owns a random base of hidden 768, eight adapters on all of its projections, the three ways of
starting the same vLLM, and what is asked of it over HTTP. Refuses to own figures (`kernel.py`).
"""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import aiohttp

from ...adapters import BaseIdentity, EngineError
from ...server.config import ServeConfig
from ...server.engines.flags import Facts
from ...server.engines.launch import Launch, Place, plan_vllm
from ...server.supervision.listen import free_port
from ...server.vllm_plugin import ACTIVE
from .engine_process import started
from .random_base import random_adapter, random_base

LAYERS, HIDDEN, WIDE, LENGTH = 6, 768, 2304, 640
NUM_ADAPTERS = 8
BASE_NAME = "base"
Kind = Literal["grouped", "stock", "plain"]
"""Our kernel; vLLM's; no LoRA at all."""
_LORA_FLAGS = ("--enable-lora", "--max-loras", "--max-cpu-loras", "--max-lora-rank")
_REQUEST = aiohttp.ClientTimeout(total=300.0)


@dataclass(frozen=True)
class Answer:
    """What came back: ids and log-probabilities of the answer, log-probabilities of the prompt."""

    ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    prompt_logprobs: tuple[float, ...] = ()


@dataclass(frozen=True)
class Asked:
    """One request: token ids, how many tokens to make, and whether the prompt's are wanted."""

    model: str
    prompt: tuple[int, ...]
    num_tokens: int
    prompt_logprobs: bool = False

    def body(self) -> dict[str, object]:
        """As vLLM reads it: greedy, to the full length."""
        return {
            "model": self.model,
            "prompt": list(self.prompt),
            "max_tokens": self.num_tokens,
            "temperature": 0,
            "logprobs": 0,
            "ignore_eos": True,
            "return_token_ids": True,
            **({"prompt_logprobs": 0} if self.prompt_logprobs else {}),
        }


def make_base(folder: Path) -> Path:
    """A random Qwen3 of 6 layers and hidden 768."""
    return random_base(folder, hidden=HIDDEN, layers=LAYERS, wide=WIDE, key_heads=6, length=LENGTH)


def make_adapters(base: BaseIdentity, home: Path, *, rank: int) -> dict[str, Path]:
    """Eight random adapters on every projection, by engine-side name, each loud enough to show."""
    names = [f"rank{rank}-{number}" for number in range(NUM_ADAPTERS)]
    return {
        name: random_adapter(home / name, base.modules, rank=rank, seed=seed, scale=0.5)
        for seed, name in enumerate(names)
    }


class Side:
    """One running engine and a client of it. Requests of one call are sent together."""

    def __init__(self, kind: Kind, url: str, secret: str, runner: asyncio.Runner) -> None:
        self.kind = kind
        self._url = url
        self._headers = {"authorization": f"Bearer {secret}"}
        self._runner = runner
        self._session: aiohttp.ClientSession | None = None

    def load(self, adapters: Mapping[str, Path]) -> None:
        """Load adapters, in order.

        Raises:
            EngineError: the engine refuses one.
        """
        for name, folder in adapters.items():
            body = {"lora_name": name, "lora_path": str(folder)}
            self._runner.run(self._post("/v1/load_lora_adapter", body))

    def ask(self, *asked: Asked) -> list[Answer]:
        """All requests at the same time; returns when every answer is whole."""

        async def together() -> list[str]:
            posts = (self._post("/v1/completions", one.body()) for one in asked)
            return await asyncio.gather(*posts)

        return [_answer(text) for text in self._runner.run(together())]

    def seconds(self, *asked: Asked) -> float:
        """Wall time of `ask`."""
        start = time.perf_counter()
        self.ask(*asked)
        return time.perf_counter() - start

    async def _post(self, path: str, body: Mapping[str, object]) -> str:
        session = self._session
        if session is None:
            session = self._session = aiohttp.ClientSession(headers=self._headers, timeout=_REQUEST)
        async with session.post(self._url + path, json=body) as reply:
            text = await reply.text()
        if reply.status != 200:
            raise EngineError(
                f"{self.kind} engine answered {path} with {reply.status}: {text[:300]}"
            )
        return text

    async def close(self) -> None:
        """End the connections."""
        if self._session is not None:
            await self._session.close()


@contextlib.contextmanager
def running(
    kinds: Sequence[Kind], base: Path, scratch: Path, *, rank_cap: int
) -> Iterator[dict[Kind, Side]]:
    """Start engines on one base, one thread each, without prefix cache; end them."""
    with contextlib.ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner())
        sides: dict[Kind, Side] = {}
        for kind in kinds:
            place = Place(port=free_port(), secret=secrets.token_hex(16), tmp=scratch)
            launch = launch_of(kind, base, place, rank_cap=rank_cap)
            log = scratch / f"{kind}-{rank_cap}.log"
            url = stack.enter_context(started(launch, f"http://127.0.0.1:{place.port}", log))
            sides[kind] = Side(kind, url, place.secret, runner)
        try:
            yield sides
        finally:
            for side in sides.values():
                runner.run(side.close())


def launch_of(kind: Kind, base: Path, place: Place, *, rank_cap: int) -> Launch:
    """The flags that `skillweave serve` would use, with the kernel, without it, or without LoRA."""
    config = ServeConfig(
        base=str(base),
        threads=1,
        max_model_len=LENGTH,
        lora_slots=NUM_ADAPTERS,
        max_lora_rank=rank_cap,
        prefix_cache=False,
    )
    launch = plan_vllm(config, Facts(device="cpu"), place)
    if kind == "grouped":
        return launch
    env = {name: value for name, value in launch.env.items() if name != ACTIVE}
    if kind == "stock":
        return replace(launch, env=env)
    lora = tuple(word for f in launch.flags if f.name in _LORA_FLAGS for word in f.words)
    head, found, tail = _cut(launch.command, lora)
    assert found, "the LoRA flags stand together"
    return replace(launch, env=env, command=head + tail)


def _cut(
    words: tuple[str, ...], part: tuple[str, ...]
) -> tuple[tuple[str, ...], bool, tuple[str, ...]]:
    for place in range(len(words)):
        if words[place : place + len(part)] == part:
            return words[:place], True, words[place + len(part) :]
    return words, False, ()


def _answer(text: str) -> Answer:
    choice = json.loads(text)["choices"][0]
    asked = choice.get("prompt_token_ids") or []
    told = choice.get("prompt_logprobs") or []
    pairs = zip(asked[1:], told[1:], strict=True)
    return Answer(
        ids=tuple(choice["token_ids"]),
        logprobs=tuple(choice["logprobs"]["token_logprobs"]),
        prompt_logprobs=tuple(each[str(token)]["logprob"] for token, each in pairs) if told else (),
    )
