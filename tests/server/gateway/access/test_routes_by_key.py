"""Every route x every kind of key: nothing is reachable that should not be.

The routes are those that the application has; one that the table does not know fails here.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from skillweave.scripts.exams.route_keys import (
    BODIES,
    Row,
    Tokens,
    closed_methods,
    rows,
    who_of,
)
from skillweave.scripts.exams.serve_keys import make_tokens, routes_of, routes_of_gateway
from skillweave.server.access_settings import AccessState
from skillweave.server.gateway.access.key_file import KeyFile
from skillweave.server.gateway.app import create_app

Arena = Any
HERE, ELSEWHERE = "127.0.0.1", "203.0.113.9"
HIDDEN = "other/hidden-skill"
"""A skill that neither the scoped key nor anybody without a key may know of."""


@asynccontextmanager
async def locked_arena(arena: Arena, stock: Any, tmp_path: Path) -> AsyncIterator[Any]:
    """A gateway with keys, and clients that stand here and elsewhere."""
    stock.put("team/sql", seed=1)
    stock.put(HIDDEN, seed=2)
    folder = tmp_path / "access"
    file = KeyFile(folder / "keys.jsonl")
    tokens = make_tokens(file, "admin-key-of-the-tests")
    access = AccessState(
        keys=file.path,
        keys_required=True,
        usage=folder / "usage.sqlite",
        audit=folder / "audit.jsonl",
    )
    async with arena(stock, access=access) as a:
        app = create_app(a.service)
        yield a, tokens, Clients(app)


class Clients:
    """Sends requests to one application, from here and from elsewhere."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.routes = routes_of(app)

    async def send(
        self, method: str, path: str, *, elsewhere: bool = False, **more: Any
    ) -> httpx.Response:
        client = (ELSEWHERE if elsewhere else HERE, 1)
        transport = httpx.ASGITransport(self._app, client=client, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            return await http.request(method, path, **more)

    async def ask(self, row: Row, tokens: Tokens) -> httpx.Response:
        return await self.send(
            row.method,
            row.path,
            elsewhere=row.caller.elsewhere,
            headers=row.caller.headers(tokens),
            json=row.body,
        )


def test_every_route_with_every_kind_of_key(arena: Arena, stock: Any, tmp_path: Path) -> None:
    async def test() -> None:
        async with locked_arena(arena, stock, tmp_path) as (_, tokens, clients):
            wrong, seen = [], set()
            for row in rows(clients.routes):
                reply = await clients.ask(row, tokens)
                seen.add(row.outcome)
                what = f"{row.method} {row.path}, {row.caller.name}: {reply.status_code}"
                if not row.holds(reply.status_code):
                    wrong.append(f"{what}, expected {row.outcome}")
                told = reply.text + str(reply.headers)
                knows = row.caller.user == "in" or row.caller.admin == "in"
                if HIDDEN in told and not (knows or row.path == "/metrics"):
                    wrong.append(f"{what} tells of {HIDDEN}")
                if any(text in told for text in vars(tokens).values()):
                    wrong.append(f"{what} tells a token")
            assert wrong == []
            assert seen == {"in", "no-key", "not-yours", "not-here"}

    asyncio.run(test())


def test_no_route_answers_to_another_method(arena: Arena, stock: Any, tmp_path: Path) -> None:
    async def test() -> None:
        async with locked_arena(arena, stock, tmp_path) as (a, tokens, clients):
            headers = {
                "authorization": f"Bearer {tokens.full}",
                "x-skillweave-admin-key": tokens.admin,
            }
            wrong = []
            for method, path in closed_methods(clients.routes):
                reply = await clients.send(method, path, headers=headers)
                if reply.status_code not in (404, 405):
                    wrong.append(f"{method} {path}: {reply.status_code}")
            assert wrong == []
            assert a.engines[0].loads == []

    asyncio.run(test())


def test_the_exam_asks_for_the_same_routes(arena: Arena) -> None:
    async def seen() -> list[tuple[str, str]]:
        async with arena() as a:
            return routes_of(create_app(a.service))

    assert routes_of_gateway() == asyncio.run(seen())


def test_a_route_that_the_table_does_not_know_is_an_error() -> None:
    with pytest.raises(LookupError, match="/v2/new has no rule"):
        who_of("/v2/new")
    with pytest.raises(LookupError):
        who_of("/v1/models-and-more")


def test_absent_and_not_yours_are_one_answer(arena: Arena, stock: Any, tmp_path: Path) -> None:
    """Byte for byte but for the name that was asked; nothing is loaded for either."""

    async def test() -> None:
        async with locked_arena(arena, stock, tmp_path) as (a, tokens, clients):
            headers = {"authorization": f"Bearer {tokens.scoped}"}
            absent = "other/hidden-skilx"
            forms = [
                "{}",
                "{}@1",
                "{}@latest",
                "{}@default",
                "{}:text",
                "{}:adapter",
                "{}@9",
                "team/sql+{}",
                "team/sql*0.5+{}*0.5",
                "{}+{}:exact",
            ]
            for form in forms:
                answers = []
                for name in (HIDDEN, absent):
                    model = form.replace("{}", name)
                    body = {**BODIES["/v1/chat/completions"], "model": model}
                    reply = await clients.send(
                        "POST", "/v1/chat/completions", headers=headers, json=body
                    )
                    kept = {k: v for k, v in reply.headers.items() if k != "x-request-id"}
                    answers.append((reply.status_code, kept, reply.text.replace(name, "NAME")))
                assert answers[0] == answers[1], form
                assert answers[0][0] == 404, (form, answers[0])
                shown = [
                    (await clients.send("GET", f"/v1/models/{name}", headers=headers)).text
                    for name in (HIDDEN, absent)
                ]
                assert shown[0].replace(HIDDEN, "NAME") == shown[1].replace(absent, "NAME")
            assert a.engines[0].loads == []

    asyncio.run(test())


def test_a_list_holds_what_is_one_s_own(arena: Arena, stock: Any, tmp_path: Path) -> None:
    async def test() -> None:
        async with locked_arena(arena, stock, tmp_path) as (_, tokens, clients):

            async def listed(token: str) -> list[str]:
                headers = {"authorization": f"Bearer {token}"}
                reply = await clients.send("GET", "/v1/models", headers=headers)
                return [str(each["id"]) for each in reply.json()["data"]]

            assert await listed(tokens.scoped) == ["team/sql"]
            assert await listed(tokens.root) == []
            assert await listed(tokens.full) == ["base", HIDDEN, "team/sql"]

    asyncio.run(test())
