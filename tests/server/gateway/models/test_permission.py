"""What a caller may not use does not exist for him: by name, in sums, by the router, in lists."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from skillweave.router.types import Choice, Route, State
from skillweave.server.access_settings import AccessState
from skillweave.server.gateway.access.key_file import KeyFile
from skillweave.server.gateway.access.keys import Wish
from skillweave.server.gateway.models.auto import decide

Arena = Any
USER = [{"role": "user", "content": "x"}]


@dataclass
class Keyed:
    """An arena with keys: `ask` with the token of one."""

    arena: Any
    tokens: dict[str, str]

    async def ask(self, key: str, model: str, **more: object) -> httpx.Response:
        body = {"model": model, "messages": USER, **more}
        return await self.send(key, "POST", "/v1/chat/completions", json=body)

    async def send(self, key: str, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.tokens[key]}", **more.pop("headers", {})}
        reply: httpx.Response = await self.arena.http.request(method, path, headers=headers, **more)
        return reply


@asynccontextmanager
async def keyed(
    arena: Arena, stock: Any, folder: Path, *, keys: dict[str, Wish], **more: Any
) -> AsyncIterator[Keyed]:
    file = KeyFile(folder / "keys.jsonl")
    tokens = {name: file.create(wish).token for name, wish in keys.items()}
    async with arena(stock, access=AccessState(keys=file.path), **more) as a:
        yield Keyed(a, tokens)


def wish(name: str, *globs: str, team: str | None = None) -> Wish:
    return Wish(name=name, team=team, globs=globs)


@pytest.fixture
def two(stock: Any) -> Any:
    stock.put("ours/a", seed=1)
    stock.put("theirs/b", seed=2)
    return stock


class Both:
    """A router that sees all skills."""

    def __init__(self, *skills: str) -> None:
        self.skills = skills

    def route(self, state: State) -> Route:
        weight = 1.0 / len(self.skills)
        scores = {"ours/a": 0.6, "theirs/b": 0.4}
        return Route(
            tuple(Choice(s, weight=weight) for s in self.skills), "theirs/b is near", scores
        )


def test_forbidden_and_absent_are_the_same_404(arena: Arena, two: Any, tmp_path: Path) -> None:
    async def test() -> None:
        keys = {"ours": wish("ours", "ours/*"), "all": wish("all", "*")}
        async with keyed(arena, two, tmp_path, keys=keys) as k:
            assert (await k.ask("ours", "ours/a")).status_code == 200
            assert (await k.ask("all", "theirs/b")).status_code == 200
            spellings = ("{}", "{}@1", "{}@prod", "{}*0.5", "ours/a+{}", "{}+ours/a", "{}:text")
            for spelling in spellings:
                forbidden = await k.ask("ours", spelling.format("theirs/b"))
                absent = await k.ask("ours", spelling.format("ours/z"))
                assert forbidden.status_code == absent.status_code == 404
                assert forbidden.text.replace("theirs/b", "ours/z") == absent.text
            for name in ("base", "auto"):
                reply = await k.ask("ours", name)
                assert reply.status_code == 404
                assert reply.json()["error"]["code"] == "model_not_found"

    asyncio.run(test())


def test_lists_hold_what_may_be_used(arena: Arena, two: Any, tmp_path: Path) -> None:
    async def test() -> None:
        keys = {"ours": wish("ours", "ours/*"), "all": wish("all", "*")}
        async with keyed(arena, two, tmp_path, keys=keys, selector=Both("ours/a")) as k:

            async def ids(key: str) -> list[str]:
                reply = await k.send(key, "GET", "/v1/models")
                return [entry["id"] for entry in reply.json()["data"]]

            assert await ids("ours") == ["ours/a"]
            assert await ids("all") == ["base", "auto", "ours/a", "theirs/b"]
            assert (await k.arena.http.get("/v1/models")).status_code == 401
            for name in ("theirs/b", "theirs/b@1", "base", "auto", "ours/a+theirs/b"):
                forbidden = await k.send("ours", "GET", f"/v1/models/{name}")
                assert forbidden.status_code == 404, name
            absent = await k.send("ours", "GET", "/v1/models/ours/z")
            forbidden = await k.send("ours", "GET", "/v1/models/theirs/b")
            assert forbidden.text.replace("theirs/b", "ours/z") == absent.text

    asyncio.run(test())


@pytest.mark.parametrize("chosen", [("theirs/b",), ("ours/a", "theirs/b")])
def test_auto_abstains_from_what_is_not_the_callers(
    arena: Arena, two: Any, tmp_path: Path, chosen: tuple[str, ...]
) -> None:
    async def test() -> None:
        keys = {
            "some": wish("some", "auto", "base", "ours/*"),
            "baseless": wish("baseless", "auto", "ours/*"),
            "all": wish("all", "*"),
        }
        async with keyed(arena, two, tmp_path, keys=keys, selector=Both(*chosen)) as k:
            reply = await k.ask("some", "auto")
            assert reply.headers["x-skillweave-adapter"] == "base"
            assert reply.headers["x-skillweave-route"] == "auto: abstained"
            assert (await k.ask("baseless", "auto")).status_code == 404
            full = await k.ask("all", "auto")
            assert "theirs/b" in full.headers["x-skillweave-adapter"]
            assert "near" in full.headers["x-skillweave-route"]

    asyncio.run(test())


def test_a_reason_does_not_name_what_is_not_the_callers(
    arena: Arena, two: Any, tmp_path: Path
) -> None:
    async def test() -> None:
        keys = {"some": wish("some", "auto", "base", "ours/*")}
        async with keyed(arena, two, tmp_path, keys=keys, selector=Both("ours/a")) as k:
            reply = await k.ask("some", "auto")
            assert reply.headers["x-skillweave-adapter"] == "ours/a"
            assert reply.headers["x-skillweave-route"] == "auto"

    asyncio.run(test())


def test_tool_turns_of_tenants_do_not_meet(arena: Arena, two: Any, tmp_path: Path) -> None:
    async def test() -> None:
        keys = {
            "one": wish("one", "*", team="t1"),
            "two": wish("two", "auto", "base", team="t2"),
        }
        call = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
        turn = [*USER, call, {"role": "tool", "content": "r", "tool_call_id": "1"}]
        async with keyed(arena, two, tmp_path, keys=keys, selector=Both("ours/a")) as k:
            session = {"x-skillweave-session": "s"}
            path = "/v1/chat/completions"
            first = {"model": "auto", "messages": USER}
            await k.send("one", "POST", path, json=first, headers=session)
            second = {"model": "auto", "messages": turn}
            own = await k.send("one", "POST", path, json=second, headers=session)
            assert own.headers["x-skillweave-route"] == "sticky"
            other = await k.send("two", "POST", path, json=second, headers=session)
            assert other.headers["x-skillweave-route"] == "auto: abstained"

    asyncio.run(test())


def test_cached_prefixes_belong_to_a_team(arena: Arena, two: Any, tmp_path: Path) -> None:
    async def test() -> None:
        keys = {
            "a1": wish("a1", "*", team="a"),
            "a2": wish("a2", "*", team="a"),
            "b": wish("b", "*", team="b"),
            "c": wish("c", "*"),
        }
        async with keyed(arena, two, tmp_path, keys=keys) as k:
            for key in keys:
                await k.ask(key, "base")
            salts = [body["cache_salt"] for body in k.arena.engines[0].asked]
            assert salts[0] == salts[1]
            assert len(set(salts)) == 3
            assert (await k.ask("b", "base", cache_salt=salts[0])).status_code == 400
        async with arena(two) as a:
            await a.chat("base")
            assert "cache_salt" not in a.engines[0].asked[-1]

    asyncio.run(test())


@pytest.mark.parametrize(
    "choice",
    [Choice("theirs/b", "none"), Choice("theirs/b", weight=0.01), Choice("theirs/no such name")],
)
def test_a_reason_without_scores_names_nobody_elses_skill_either(choice: Choice) -> None:
    route = Route((choice,), f"nearest is {choice.skill}")
    decision = decide(route, may=lambda name: name.startswith("ours/"))
    assert not decision.terms
    assert "theirs" not in decision.told
