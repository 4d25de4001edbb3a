"""The HTTP client of one engine: health, its adapters, and the stream of an answer.

Owns the engine's dialect (routes, secret, error shapes). Refuses to own which adapter is loaded
when (`gateway/residency.py`) and what a user asked for.
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import aiohttp

from ...adapters.errors import AdapterRefused, EngineError, Problem

CONTROL_TIMEOUT = aiohttp.ClientTimeout(total=60.0)
STREAM_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5.0)
LOST = (aiohttp.ClientError, OSError, TimeoutError)
"""What aiohttp raises when the engine does not answer."""


REMOVALS = 3
"""How often an engine is asked to remove what a request still uses; it waits by itself, too."""
_OURS = "/v1/skillweave"
"""The routes that `vllm_plugin/` adds to an engine."""
_RANK = re.compile(r"rank (\d+) is greater than max_lora_rank (\d+)", re.IGNORECASE)
_DEAD = "EngineCore encountered an issue"
_DYING = ("EngineDead", _DEAD)


Observe = Callable[[str, int, float], None]
"""Told of each change asked of an engine: route, status (0: no answer) and seconds."""


@dataclass(frozen=True)
class EngineModel:
    """One name that an engine serves; `path` is the folder of an adapter, or the base."""

    name: str
    path: str
    parent: str | None


@dataclass(frozen=True)
class EngineResidency:
    """What an engine with our plugin truly holds.

    `slots` are names that can be in a batch now, `host` names in host memory, `pinned` names that
    are never evicted. The three limits are those that the engine was started with.
    """

    slots: tuple[str, ...]
    host: tuple[str, ...]
    pinned: tuple[str, ...]
    max_loras: int
    max_cpu_loras: int
    max_lora_rank: int


class EngineClient:
    """Talks to one engine.

    `in_flight` counts running answers, for the choice of a replica; `has_plugin` is what
    `residency` found out last.
    """

    def __init__(
        self,
        url: str,
        *,
        secret: str | None,
        session: aiohttp.ClientSession,
        observe: Observe = lambda *_: None,
    ) -> None:
        self.url = url.rstrip("/").removesuffix("/v1")
        self.in_flight = 0
        self.has_plugin = False
        self._session = session
        self._observe = observe
        self._headers = {"authorization": f"Bearer {secret}"} if secret else {}
        self._json_headers = {**self._headers, "content-type": "application/json"}

    async def healthy(self) -> bool:
        """Whether the engine answers its health check now."""
        try:
            async with self._session.get(f"{self.url}/health", timeout=CONTROL_TIMEOUT) as reply:
                return reply.status == 200
        except LOST:
            return False

    async def try_out(self, model: str) -> None:
        """Have one token made: some faults, and the cost of a first request, show only then.

        Raises:
            EngineError: the engine fails at it.
        """
        body: dict[str, object] = {"model": model, "prompt": "a", "max_tokens": 1}
        status, text = await self._control("/v1/completions", body)
        if status != 200:
            raise EngineError(
                f"the engine at {self.url} started, but answers its first request with {status}: "
                f"{error_message(text)}"
            )

    async def models(self) -> list[EngineModel]:
        """Every name that the engine serves.

        Raises:
            EngineError: no answer, or not a list of models.
        """
        try:
            async with self._session.get(
                f"{self.url}/v1/models", headers=self._headers, timeout=CONTROL_TIMEOUT
            ) as reply:
                body = await reply.json(content_type=None)
        except (*LOST, ValueError) as err:
            raise EngineError(f"{self.url}/v1/models does not answer: {_short(err)}") from err
        if not isinstance(body, dict) or not isinstance(body.get("data"), list):
            raise EngineError(
                f"{self.url}/v1/models answered {reply.status} without a list of models; is this "
                "an OpenAI-compatible engine, and is its key right?"
            )
        return [
            EngineModel(str(m["id"]), str(m.get("root") or ""), m.get("parent"))
            for m in body["data"]
        ]

    async def load(self, name: str, path: str) -> None:
        """Load an adapter folder under a name that was never used for another folder.

        Raises:
            AdapterRefused: the engine will not have this adapter; its reason is in the message.
            EngineError: the engine is gone, or does not load adapters at run time.
        """
        body = {"lora_name": name, "lora_path": path}
        status, text = await self._control("/v1/load_lora_adapter", body)
        if status == 200 or (status == 400 and "already been loaded" in text):
            return
        if status == 404 and "No adapter found" not in text:
            raise EngineError(
                f"{self.url} does not load adapters at run time; start it with --enable-lora and "
                "VLLM_ALLOW_RUNTIME_LORA_UPDATING=1"
            )
        if status in (401, 503) or any(mark in text for mark in _DYING):
            raise EngineError(f"{self.url} did not load {name}: {status} {error_message(text)}")
        raise AdapterRefused([_refusal(status, error_message(text))], subject=f"adapter {name}")

    async def unload(self, name: str) -> None:
        """Take an adapter's name away; a name that is not there is no error.

        The engine keeps slot and memory until other adapters push it out; `remove` frees both.

        Raises:
            EngineError: the engine is gone or refuses.
        """
        status, text = await self._control("/v1/unload_lora_adapter", {"lora_name": name})
        if status not in (200, 404):
            raise EngineError(f"{self.url} did not unload {name}: {status} {error_message(text)}")

    async def residency(self) -> EngineResidency | None:
        """What the engine holds in truth; None where it runs without our plugin.

        Raises:
            EngineError: the engine is gone or refuses.
        """
        try:
            async with self._session.get(
                f"{self.url}{_OURS}/residency", headers=self._headers, timeout=CONTROL_TIMEOUT
            ) as reply:
                status, text = reply.status, await reply.text()
        except LOST as err:
            raise EngineError(f"the engine at {self.url} does not answer: {_short(err)}") from err
        self.has_plugin = status == 200
        if status in (404, 405):
            return None
        if status != 200:
            raise EngineError(f"{self.url}{_OURS}/residency: {status} {error_message(text)}")
        return _residency(text, self.url)

    async def remove(self, name: str) -> None:
        """Free an adapter's slot and memory, and its name; one that is not there is no error.

        Needs our plugin in the engine (`residency` says whether it is there).

        Raises:
            EngineError: the engine is gone or refuses.
        """
        for _ in range(REMOVALS):
            status, text = await self._control(f"{_OURS}/remove", {"lora_name": name})
            if status != 409:  # a request still uses it, though its client may have left
                break
        if status not in (200, 404):
            raise EngineError(f"{self.url} did not remove {name}: {status} {error_message(text)}")

    async def drop(self, name: str) -> None:
        """Let go of an adapter as truly as this engine can.

        Raises:
            EngineError: as `remove` and `unload`.
        """
        await (self.remove(name) if self.has_plugin else self.unload(name))

    async def pin(self, name: str, *, pinned: bool) -> None:
        """Keep an adapter in the engine's memory whatever else is loaded, or no longer.

        Raises:
            EngineError: the engine is gone, has no plugin, or has no room left to pin.
        """
        status, text = await self._control(f"{_OURS}/pin", {"lora_name": name, "pinned": pinned})
        if status != 200:
            raise EngineError(f"{self.url} did not pin {name}: {status} {error_message(text)}")

    def post(
        self, path: str, body: bytes, *, request_id: str | None = None
    ) -> "aiohttp.client._RequestContextManager":
        """An answer as it comes; no time limit, since a stream may be long.

        Args:
            request_id: what the engine calls the request; of two with one id it ends both when
                the client of one leaves, so it must be no client's to choose.
        """
        headers = self._json_headers
        if request_id is not None:
            headers = {**headers, "x-request-id": request_id}
        return self._session.post(
            f"{self.url}{path}", data=body, headers=headers, timeout=STREAM_TIMEOUT
        )

    async def _control(self, path: str, body: Mapping[str, object]) -> tuple[int, str]:
        began = time.monotonic()
        try:
            async with self._session.post(
                f"{self.url}{path}", json=body, headers=self._headers, timeout=CONTROL_TIMEOUT
            ) as reply:
                text = await reply.text()
                self._observe(path, reply.status, time.monotonic() - began)
                return reply.status, text
        except LOST as err:
            self._observe(path, 0, time.monotonic() - began)
            raise EngineError(f"the engine at {self.url} does not answer: {_short(err)}") from err


KEEP_ALIVE_S = 4.0
"""Shorter than the five seconds after which vLLM closes an idle connection: a request that is sent
into one that is just being closed is lost."""


def open_session() -> aiohttp.ClientSession:
    """A pool of keep-alive connections; bytes are passed on as they are, never decompressed."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S),
        auto_decompress=False,
        headers={"accept-encoding": "identity"},
        trust_env=False,
    )


def error_message(text: str) -> str:
    """The message inside an OpenAI error body; the start of the text where it is none."""
    try:
        return cast(str, json.loads(text)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return text[:300]


def has_died(error: str) -> bool:
    """Whether an error body is an engine's last words: what computes in it has ended.

    Only where the message begins so: further on it may be a client's own text.
    """
    return str(error_message(error)).startswith(_DEAD)


def _refusal(status: int, message: str) -> Problem:
    ranks = _RANK.search(message)
    if ranks is None:
        return Problem("engine_refused", f"the engine answered {status}: {message}")
    text = f"rank {ranks[1]}, and the running engine was started for at most {ranks[2]}"
    remedy = f"start the server with --max-lora-rank {ranks[1]}"
    return Problem("rank_above_cap", f"{text}: not servable here", remedy)


def _residency(text: str, url: str) -> EngineResidency:
    try:
        said = json.loads(text)
        names = [tuple(str(name) for name in said[key]) for key in ("slots", "host", "pinned")]
        limits = [int(said[key]) for key in ("max_loras", "max_cpu_loras", "max_lora_rank")]
    except (ValueError, KeyError, TypeError) as err:
        raise EngineError(
            f"{url}{_OURS}/residency answered {text[:200]!r}: expected slots, host, pinned and the "
            "limits of the engine; its plugin is of another skillweave"
        ) from err
    return EngineResidency(names[0], names[1], names[2], limits[0], limits[1], limits[2])


def _short(err: BaseException) -> str:
    return f"{type(err).__name__}: {err}"[:200]
