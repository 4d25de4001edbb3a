"""Waiting until an engine or the gateway answers, and saying why it does not.

Owns patience and the sentences of failure. Refuses to start or end anything.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

import aiohttp

from ...adapters.errors import EngineError
from ..engines.client import LOST, EngineClient, open_session
from ..engines.launch import BASE_NAME
from ..state_file import EngineState
from .process import Child

POLL_S = 0.1
HEALTH_POLL_S = 2.0
"""How often something that answered is asked whether it still does."""
ANSWER_S = 2.0
DYING_S = 5.0
"""How long an engine that failed its first request gets to end, before its log is read."""


async def until_engine_answers(
    state: EngineState, child: Child | None, *, timeout_s: float
) -> None:
    """Wait for the first healthy answer, then have an engine of ours make one token.

    Args:
        child: the keeper; None for an engine that we did not start, which is only asked what it
            serves.

    Raises:
        EngineError: it ended, stayed silent for `timeout_s`, or cannot answer.
    """
    deadline = time.monotonic() + timeout_s
    async with open_session() as session:
        client = EngineClient(state.url, secret=state.secret, session=session)
        while not await client.healthy():
            if child is not None and not child.alive:
                raise EngineError(last_words(child, "did not start"))
            if time.monotonic() > deadline:
                raise EngineError(_silent(state.url, child, timeout_s))
            await asyncio.sleep(POLL_S)
        if child is None:
            await client.models()
        else:
            await _try_out(client, child)


async def until_engine_silent(state: EngineState, *, silent_s: float) -> None:
    """Wait until an engine has not answered its health check for `silent_s`."""
    async with open_session() as session:
        client = EngineClient(state.url, secret=state.secret, session=session)
        await _until_silent(client.healthy, silent_s)


async def until_gateway_ready(url: str, child: Child) -> None:
    """Wait until the gateway can answer requests.

    Raises:
        EngineError: it ended.
    """
    await _until_gateway_says(f"{url}/ready", child)


async def until_gateway_answers(url: str, child: Child) -> None:
    """Wait until the gateway lives, whether it has an engine or not.

    Raises:
        EngineError: it ended.
    """
    await _until_gateway_says(f"{url}/health", child)


async def until_gateway_silent(url: str, *, silent_s: float) -> None:
    """Wait until the gateway has not answered its health check for `silent_s`."""
    async with open_session() as session:
        await _until_silent(lambda: _says_yes(session, f"{url}/health"), silent_s)


async def _until_gateway_says(url: str, child: Child) -> None:
    async with open_session() as session:
        while child.alive:
            if await _says_yes(session, url):
                return
            await asyncio.sleep(POLL_S)
    raise EngineError(last_words(child, "did not start"))


async def _says_yes(session: aiohttp.ClientSession, url: str) -> bool:
    """Whether a route answers 200. A connection may wait in the queue of a socket without owner."""
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=ANSWER_S)) as reply:
            return reply.status == 200
    except LOST:
        return False


async def _until_silent(asked: Callable[[], Awaitable[bool]], silent_s: float) -> None:
    heard = time.monotonic()
    while time.monotonic() - heard < silent_s:
        await asyncio.sleep(min(HEALTH_POLL_S, silent_s / 4))
        with contextlib.suppress(TimeoutError):
            if await asyncio.wait_for(asked(), silent_s):
                heard = time.monotonic()


def last_words(child: Child, what: str, *, count: int = 15) -> str:
    """What became of a child, its exit status, and the last lines of its log."""
    code = child.popen.poll()
    status = "" if code is None else f" (exit status {code})"
    last = child.last_lines(count)
    return f"{child.name} {what}{status}. " + (f"Its last lines:\n{last}" if last else "No output.")


async def _try_out(client: EngineClient, child: Child) -> None:
    try:
        await client.try_out(BASE_NAME)
    except EngineError as err:
        with contextlib.suppress(TimeoutError):  # a dying engine still writes its reason
            await asyncio.wait_for(child.exited.wait(), DYING_S)
        raise EngineError(f"{err}\n{last_words(child, 'failed its first request')}") from err


def _silent(url: str, child: Child | None, timeout_s: float) -> str:
    if child is None:
        return f"no engine answers at {url} after {timeout_s:g} s; is it running, is the URL right?"
    return last_words(child, f"did not answer within {timeout_s:g} s")
