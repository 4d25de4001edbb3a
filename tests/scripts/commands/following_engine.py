"""The fake engine, made to do what skills say: it follows the text it is given.

An adapter answers as its skill's text would, which it finds beside the weights; without a text
there is no idea. Prompt log-probabilities are computed by torch, as an engine would compute them.
Wraps `FakeEngine`, whose names, loads and errors stay as they are.
"""

import asyncio
import contextlib
import json
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

from aiohttp import web
from reading import formats_in, operations_in  # tests/distill, see `tiny_demo`
from skillweave.distill.agreement import local_logprobs
from skillweave.distill.learning.sft import load_base
from skillweave.distill.rendering import TokenRow
from skillweave.distill.worlds.string_skills import SkillSpec, worked_answer
from skillweave.server.engines.fake import FakeEngine

Body = Mapping[str, object]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SECRET = "secret-of-the-engine"


@contextlib.contextmanager
def following_engine(base: Path, *, on_stream: Callable[[], None]) -> Iterator[str]:
    """Serve in a thread of this process; yields the address. `on_stream`: called at a stream."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(_app(base, on_stream), shutdown_timeout=0.1)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        port = asyncio.run_coroutine_threadsafe(_start(runner), loop).result()
        yield f"http://127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _start(runner: web.AppRunner) -> int:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return int(runner.addresses[0][1])


def _app(base: Path, on_stream: Callable[[], None]) -> web.Application:
    fake = FakeEngine(secret=SECRET)
    app = fake.app()

    @web.middleware
    async def follow(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in ("/v1/chat/completions", "/v1/completions"):
            return await handler(request)
        body = await request.json()
        folder = fake.adapters.get(body["model"])
        if request.path == "/v1/completions":
            return web.json_response(_told(body, _logprobs(base, folder, body["prompt"])))
        text = _answer(body, folder)
        if not body.get("stream"):
            return web.json_response(_chat(body, text))
        on_stream()
        return await _stream(request, body, text)

    app.middlewares.append(follow)
    return app


def _answer(body: Body, folder: str | None) -> str:
    turns = body["messages"]
    assert isinstance(turns, list)
    text = "".join(turn["content"] for turn in turns if turn["role"] == "system")
    if folder is not None and (skill := Path(folder) / "skill" / "SKILL.md").exists():
        text += skill.read_text().split("---", 2)[2]
    operations, forms = operations_in(text), formats_in(text)
    if not operations or len(forms) != 1:
        return "final: no idea"
    items = turns[-1]["content"].replace("?", ":").rsplit(":", 1)[1].split()
    return worked_answer(SkillSpec(operations, forms[0], "picnic"), tuple(items))


def _logprobs(base: Path, folder: str | None, ids: list[int]) -> list[object]:
    row = TokenRow(tuple(ids), (True,) * len(ids))
    (told,) = local_logprobs(load_base(base), Path(folder) if folder else None, [row])
    return [None, *({str(i): {"logprob": p}} for i, p in zip(ids[1:], told, strict=True))]


def _head(body: Body, text: str, kind: str) -> dict[str, object]:
    prompt, answer = len(json.dumps(body.get("messages", "")).split()), len(text.split())
    usage = {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}
    return {"id": "1", "object": kind, "created": 1, "model": body["model"], "usage": usage}


def _chat(body: Body, text: str) -> Body:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return {**_head(body, text, "chat.completion"), "choices": [choice]}


def _told(body: Body, logprobs: list[object]) -> Body:
    choice = {"index": 0, "finish_reason": "stop", "text": "", "prompt_logprobs": logprobs}
    return {**_head(body, "", "text_completion"), "choices": [choice]}


async def _stream(request: web.Request, body: Body, text: str) -> web.StreamResponse:
    reply = web.StreamResponse(headers={"content-type": "text/event-stream; charset=utf-8"})
    await reply.prepare(request)
    head = _head(body, text, "chat.completion.chunk")
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    with contextlib.suppress(ConnectionError):  # the client may be interrupted
        for event in ({**head, "usage": None, "choices": [choice]}, {**head, "choices": []}):
            await reply.write(b"data: " + json.dumps(event).encode() + b"\n\n")
        await reply.write(b"data: [DONE]\n\n")
    return reply
