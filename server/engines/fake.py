"""A stand-in for vLLM's OpenAI server: the same wire, deterministic words, no model.

For tests of gateway and supervisor. An answer consists of a mark, the words of the system message
and the words of the last message; the mark follows from the engine-side name and the bytes of the
adapter folder, so that a mix-up of two versions shows in the text. It starts in a fraction of a
second, can be slow (`--token-delay`, `--start-delay`) and can die at its start (`--die`).
Owns the imitation. Refuses to be offered to users: `ServeConfig.engine` names it for tests only.
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import signal
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from .fake_answers import Answer, Json, dump
from .fake_slots import FakeSlots


@dataclass
class FakeEngine:
    """State of the stand-in.

    `adapters` maps an engine-side name to its folder. Names that begin with `refuse` (if that is
    not empty) are not loaded, with `unwilling` none is; `fail`, if not empty, is the answer to
    every prompt (with `fail_late` a stream says so after its 200); a stream breaks off after
    `cut_after` words. `loads` and `aborted` are for tests to look at.

    With `plugin` it answers the routes of our plugin, too: `held` are the names in its memory,
    which a plain unload leaves there, as vLLM does. With `turns`, adapters take turns in its slots.
    """

    base_name: str = "base"
    secret: str = ""
    max_model_len: int = 2048
    token_delay_s: float = 0.0
    load_delay_s: float = 0.0
    refuse: str = ""
    fail: str = ""
    fail_late: bool = False
    unwilling: bool = False
    cut_after: int | None = None
    adapters: dict[str, str] = field(default_factory=dict)
    loads: list[str] = field(default_factory=list)
    aborted: int = 0
    asked: "deque[Json]" = field(default_factory=lambda: deque(maxlen=16))
    plugin: bool = True
    max_loras: int = 4
    max_cpu_loras: int = 8
    max_lora_rank: int = 16
    held: set[str] = field(default_factory=set)
    pinned: set[str] = field(default_factory=set)
    turns: FakeSlots | None = None

    def app(self) -> web.Application:
        """The server; everything but the health check demands the secret, as `guard.py` does."""
        app = web.Application(middlewares=[self._guard], client_max_size=64 * 1024**2)
        app.router.add_get("/health", self._health)
        app.router.add_get("/fake", self._inspect)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/load_lora_adapter", self._load)
        app.router.add_post("/v1/unload_lora_adapter", self._unload)
        if self.plugin:
            app.router.add_get("/v1/skillweave/residency", self._residency)
            app.router.add_post("/v1/skillweave/remove", self._remove)
            app.router.add_post("/v1/skillweave/pin", self._pin)
        app.router.add_post("/v1/chat/completions", self._answer)
        app.router.add_post("/v1/completions", self._answer)
        app.router.add_post("/v1/responses", self._answer)
        app.router.add_post("/tokenize", self._tokenize)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        wanted = f"Bearer {self.secret}"
        guarded = request.path not in ("/health", "/fake")
        if guarded and request.headers.get("authorization") != wanted:
            return web.json_response({"error": "Unauthorized"}, status=401)
        try:
            return await handler(request)
        except (ValueError, TypeError, KeyError, AttributeError) as err:
            return _error(400, f"a field is not what it should be ({type(err).__name__})")

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response()

    async def _inspect(self, request: web.Request) -> web.Response:
        seen = {"loads": self.loads, "adapters": self.adapters, "aborted": self.aborted}
        return web.json_response(seen)

    async def _models(self, request: web.Request) -> web.Response:
        data = [{"id": self.base_name, "object": "model", "root": "fake", "parent": None}]
        data += [
            {"id": name, "object": "model", "root": path, "parent": self.base_name}
            for name, path in self.adapters.items()
        ]
        return web.json_response({"object": "list", "data": data})

    async def _load(self, request: web.Request) -> web.Response:
        body = await request.json()
        name, path = body["lora_name"], body["lora_path"]
        self.loads.append(name)
        await asyncio.sleep(self.load_delay_s)
        if self.unwilling:
            return _error(503, "not now")
        if name in self.adapters:
            return _error(400, f"The lora adapter '{name}' has already been loaded.")
        if self.refuse and name.startswith(self.refuse):
            return _error(500, "Call to add_lora method failed: not this one")
        if not (Path(path) / "adapter_config.json").is_file():
            return _error(404, f"Loading lora {name} failed: No adapter found for {path}")
        self.adapters[name] = path
        self.held.add(name)
        return web.Response(text=f"Success: LoRA adapter '{name}' added successfully.")

    async def _unload(self, request: web.Request) -> web.Response:
        name = (await request.json())["lora_name"]
        if self.adapters.pop(name, None) is None:
            return _error(404, f"The lora adapter '{name}' cannot be found.")
        return web.Response(text=f"Success: LoRA adapter '{name}' removed successfully.")

    async def _residency(self, request: web.Request) -> web.Response:
        held, turns = sorted(self.held), self.turns
        return web.json_response(
            {
                "slots": list(turns.slots) if turns else held[: self.max_loras],
                "host": list(turns.host) if turns else held,
                "pinned": sorted(self.pinned),
                "max_loras": turns.max_loras if turns else self.max_loras,
                "max_cpu_loras": turns.max_cpu_loras if turns else self.max_cpu_loras,
                "max_lora_rank": self.max_lora_rank,
            }
        )

    async def _remove(self, request: web.Request) -> web.Response:
        name = (await request.json())["lora_name"]
        known = name in self.adapters or name in self.held
        self.adapters.pop(name, None)
        self.held.discard(name)
        self.pinned.discard(name)
        return web.json_response({}) if known else _error(404, f"no adapter {name!r}")

    async def _pin(self, request: web.Request) -> web.Response:
        body = await request.json()
        name, change = body["lora_name"], self.pinned.add if body["pinned"] else self.pinned.discard
        if name not in self.held:
            return _error(404, f"no adapter {name!r}")
        change(name)
        return web.json_response({})

    async def _tokenize(self, request: web.Request) -> web.Response:
        body = await request.json()
        words = _prompt(body).split()
        tokens = list(range(len(words)))
        return web.json_response({"count": len(words), "tokens": tokens, "max_model_len": 2048})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        if self.fail:
            late = self.fail_late and bool(body.get("stream"))
            return _late_error(self.fail) if late else _error(500, self.fail)
        model = str(body["model"])
        if model != self.base_name and model not in self.adapters:
            return _error(404, f"The model `{model}` does not exist.", param="model")
        length = len(_prompt(body).split())
        if length > self.max_model_len:
            return _error(
                400,
                f"This model's maximum context length is {self.max_model_len} tokens. However, "
                f"your prompt contains at least {length} input tokens.",
            )
        words = [self.mark(model), *_prompt(body).split()]
        if body.get("chat_template_kwargs"):
            words.append(json.dumps(body["chat_template_kwargs"], sort_keys=True))
        words = words[: int(body.get("max_tokens") or body.get("max_output_tokens") or 64)]
        answer = Answer(body, model, words, length)
        turn: contextlib.AbstractAsyncContextManager[None] = contextlib.nullcontext()
        if self.turns is not None and model != self.base_name:
            turn = self.turns.hold(model, priority=int(body.get("priority") or 0))
        async with turn:
            if body.get("stream"):
                return await self._stream(request, answer)
            await asyncio.sleep(self.token_delay_s * len(words))
            return web.Response(body=dump(answer.whole()), content_type="application/json")

    async def _stream(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"content-type": "text/event-stream; charset=utf-8"})
        await reply.prepare(request)
        try:
            for position, event in enumerate(answer.events()):
                if position == self.cut_after and request.transport is not None:
                    request.transport.abort()
                await reply.write(event)
                await asyncio.sleep(self.token_delay_s)
        except (ConnectionError, asyncio.CancelledError):
            self.aborted += 1
            raise
        return reply

    def mark(self, model: str) -> str:
        """What tells one model's words from another's: name, and the adapter's bytes."""
        folder = self.adapters.get(model)
        files = sorted(Path(folder).glob("adapter*")) if folder else []
        digest = hashlib.sha256(b"".join([model.encode(), *(f.read_bytes() for f in files)]))
        return f"<{digest.hexdigest()[:8]}>"


def _prompt(body: Json) -> str:
    """What the model sees: system text and the last message, or the prompt."""
    messages = body.get("messages")
    if "input" in body:
        return " ".join([str(body.get("instructions") or ""), str(body["input"])]).strip()
    if not isinstance(messages, list):
        return str(body.get("prompt", ""))
    system = [m["content"] for m in messages if m["role"] == "system"]
    return " ".join([*map(str, system), str(messages[-1]["content"])])


def _error(status: int, message: str, *, param: str | None = None) -> web.Response:
    body = {"message": message, "type": "BadRequestError", "param": param, "code": status}
    return web.json_response({"error": body}, status=status)


def _late_error(message: str) -> web.Response:
    """A stream that is an error, as vLLM answers where it fails after it has said 200."""
    error = {"message": message, "type": "InternalServerError", "param": None, "code": 500}
    text = f"data: {json.dumps({'error': error})}\n\ndata: [DONE]\n\n"
    return web.Response(text=text, content_type="text/event-stream")


def _take_one(folder: Path) -> bool:
    """Remove one file; of several engines that try at once, each file is one's alone."""
    for file in folder.iterdir():
        try:
            file.unlink()
        except FileNotFoundError:
            continue
        return True
    return False


async def _end_soon(request: web.Request, reply: web.StreamResponse) -> None:
    """After a failure of its core vLLM still answers, and then ends."""
    if reply.status == 500:
        asyncio.get_running_loop().call_later(0.1, signal.raise_signal, signal.SIGTERM)


def main() -> None:
    """Serve until SIGTERM, on loopback."""
    parser = argparse.ArgumentParser(prog="skillweave.server.engines.fake")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--served-model-name", default="base")
    parser.add_argument("--max-model-len", type=int, default=2048)
    parser.add_argument("--max-loras", type=int, default=4, help="slots that it says it has")
    parser.add_argument("--token-delay", type=float, default=0.0, help="seconds between words")
    parser.add_argument("--load-delay", type=float, default=0.0, help="seconds to load an adapter")
    parser.add_argument("--start-delay", type=float, default=0.0, help="seconds before listening")
    parser.add_argument("--die", metavar="LAST_WORDS", help="print this and exit 3")
    parser.add_argument("--die-for", type=Path, help="take a file from this folder, then exit 3")
    parser.add_argument(
        "--fail", metavar="WHY", default="", help="answer every prompt with 500, then exit"
    )
    options = parser.parse_args()
    time.sleep(options.start_delay)
    if options.die:
        print(f"fake engine dies: {options.die}", file=sys.stderr)
        sys.exit(3)
    if options.die_for and _take_one(options.die_for):
        sys.exit(3)
    engine = FakeEngine(
        base_name=options.served_model_name,
        secret=os.environ.get("VLLM_API_KEY", ""),
        max_model_len=options.max_model_len,
        max_loras=options.max_loras,
        max_cpu_loras=2 * options.max_loras,
        token_delay_s=options.token_delay,
        load_delay_s=options.load_delay,
        fail=options.fail,
    )
    app = engine.app()
    if options.fail:
        app.on_response_prepare.append(_end_soon)
    web.run_app(
        app,
        host="127.0.0.1",
        port=options.port,
        print=None,
        handler_cancellation=True,
        shutdown_timeout=1.0,
    )


if __name__ == "__main__":
    main()
