"""The admin routes of keys, usage and audit; and that every change below /admin is recorded."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from skillweave.server.access_settings import AccessState, Limits
from skillweave.server.gateway.access.audit import Audit, verify
from skillweave.server.gateway.access.key_file import KeyFile
from skillweave.server.gateway.access.keys import Wish
from skillweave.server.gateway.app import create_app

Arena = Any
ADMIN = {"x-skillweave-admin-key": "admin-key-of-the-tests"}


def state(folder: Path, **more: Any) -> AccessState:
    return AccessState(
        keys=folder / "keys.jsonl",
        usage=folder / "usage.sqlite",
        audit=folder / "audit.jsonl",
        **more,
    )


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def asks(model: str = "base", **more: object) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": "one two"}], **more}


def test_the_life_of_a_key_over_http(arena: Arena, tmp_path: Path) -> None:
    async def test() -> None:
        async with arena(access=state(tmp_path)) as a:
            chat = "/v1/chat/completions"
            assert (await a.http.post(chat, json=asks())).status_code == 200
            wish = {"name": "ci", "team": "data", "globs": ["base"], "days": 3}
            made = await a.http.post("/admin/keys", json=wish, headers=ADMIN)
            assert made.status_code == 200, made.text
            assert made.headers["cache-control"] == "no-store"
            token = made.json()["token"]
            a.service.door.look_now()
            assert (await a.http.post(chat, json=asks())).status_code == 401
            reply = await a.http.post(chat, json=asks(), headers=bearer(token))
            assert reply.status_code == 200
            used = await a.http.get("/admin/usage?by=team,key,adapter", headers=ADMIN)
            rows = {(row["team"], row["adapter"]): row for row in used.json()}
            assert rows["data", "base"]["tokens"] == reply.json()["usage"]["total_tokens"]
            turned = await a.http.post("/admin/keys/rotate", json={"name": "ci"}, headers=ADMIN)
            new = turned.json()["token"]
            assert (await a.http.post(chat, json=asks(), headers=bearer(token))).status_code == 401
            assert (await a.http.post(chat, json=asks(), headers=bearer(new))).status_code == 200
            await a.http.post("/admin/keys/revoke", json={"name": "ci"}, headers=ADMIN)
            assert (await a.http.post(chat, json=asks(), headers=bearer(new))).status_code == 401
            listed = (await a.http.get("/admin/keys", headers=ADMIN)).json()
            assert [(key["name"], key["state"]) for key in listed] == [("ci", "revoked")]
            entries = (await a.http.get("/admin/audit?last=9", headers=ADMIN)).json()
            assert [e["action"] for e in entries] == ["key-create", "key-rotate", "key-revoke"]
            assert {e["facts"]["id"] for e in entries} == {listed[0]["id"]}
            written = (tmp_path / "audit.jsonl").read_text() + (tmp_path / "keys.jsonl").read_text()
            assert token[-30:] not in written
            assert new[-30:] not in written

    asyncio.run(test())


def test_every_change_is_recorded_with_who_and_how_it_ended(
    arena: Arena, stock: Any, tmp_path: Path
) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        stock.put("sql", seed=2)
        root = KeyFile(tmp_path / "keys.jsonl").create(Wish(name="root", admin=True))
        async with arena(stock, access=state(tmp_path)) as a:
            post = a.http.post
            body = {"name": "sql", "alias": "prod", "version": 2}
            await post("/admin/alias", json=body, headers=ADMIN)
            await post("/admin/alias", json={**body, "version": 9}, headers=bearer(root.token))
            await post("/admin/alias", json={**body, "version": "x"}, headers=ADMIN)
            await post("/admin/alias", json=body)  # nobody: no entry
            await a.http.get("/admin/state", headers=ADMIN)  # changes nothing: no entry
            log = tmp_path / "audit.jsonl"
            told = [(e["who"], e["action"], e["result"]) for e in Audit(log).last(9)]
            assert told == [
                ("admin", "alias", "ok"),
                (f"key:{root.key.id}", "alias", "NotFound"),
                ("admin", "alias", "failed"),
            ]
            facts = Audit(log).last(9)[0]["facts"]
            assert facts["ref"] == "sql@2"
            assert facts["name"] == "sql"
            assert facts["alias"] == "prod"
            assert len(facts["version_digest"]) == 64
            assert verify(log).problems == ()

    asyncio.run(test())


def test_limits_and_budgets_are_refusals_that_reach_no_engine(arena: Arena, tmp_path: Path) -> None:
    async def test() -> None:
        file = KeyFile(tmp_path / "keys.jsonl")
        wish = {"name": "small", "budget": {"day_tokens": 7}, "limits": {"n": 1, "max_tokens": 2}}
        made = file.create(Wish.model_validate(wish))
        limits = Limits(messages=2, body_bytes=1024, terms=2)
        async with arena(access=state(tmp_path, limits=limits)) as a:

            async def ask(**more: object) -> httpx.Response:
                path = "/v1/chat/completions"
                reply: httpx.Response = await a.http.post(
                    path, json=asks(**more), headers=bearer(made.token)
                )
                return reply

            for more in ({"n": 2}, {"max_tokens": 3}, {"model": "a+b+c"}):
                reply = await ask(**more)
                assert reply.status_code == 400, (more, reply.text)
                assert "expected at most" in reply.json()["error"]["message"]
            assert (await ask(user="x" * 2000)).status_code == 413
            reply = await ask()
            assert reply.status_code == 200
            assert reply.json()["usage"]["completion_tokens"] == 2  # asked for in its place
            assert (await ask()).status_code == 200  # 4 of 7 were used
            spent = await ask()
            assert spent.status_code == 429
            assert spent.json()["error"]["code"] == "insufficient_quota"

    asyncio.run(test())


def test_the_admin_is_asked_for_the_key_before_a_byte_of_the_body(arena: Arena) -> None:
    async def test() -> None:
        async with arena() as a:
            taken = []

            async def body() -> Any:
                for _ in range(100):
                    taken.append(1)
                    yield b" " * 1024

            kind = {"content-type": "application/json"}
            reply = await a.http.post("/admin/publish", content=body(), headers=kind)
            assert reply.status_code == 401
            assert taken == []

    asyncio.run(test())


def test_an_admin_body_without_an_end_is_not_read_to_it(arena: Arena) -> None:
    async def test() -> None:
        sent = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            for _ in range(1000):
                sent += 65_536
                yield b"a" * 65_536

        async with arena() as a:
            for verb in ("alias", "keys", "drain", "publish"):
                sent = 0
                headers = {**ADMIN, "content-type": "application/json"}
                reply = await a.http.post(f"/admin/{verb}", content=endless(), headers=headers)
                assert reply.status_code in (411, 413), verb
                assert sent < 3 * 1024**2

    asyncio.run(test())


def test_a_slash_too_many_leads_nowhere(arena: Arena) -> None:
    async def test() -> None:
        async with arena() as a:
            reply = await a.http.get("/admin/state/", headers={"host": "evil.example"})
            assert reply.status_code == 404
            assert (await a.http.delete("/health")).headers["allow"] == "GET"

    asyncio.run(test())


def test_why_a_server_is_not_ready_is_told_to_its_own_machine(arena: Arena) -> None:
    async def test() -> None:
        async with arena() as a:
            a.service.problem = "/srv/store is on fire"
            through = {"x-forwarded-for": "203.0.113.9"}
            assert "/srv" in (await a.http.get("/ready")).json()["problem"]
            assert "/srv" not in (await a.http.get("/ready", headers=through)).text
            app = create_app(a.service)
            other = httpx.ASGITransport(app, client=("203.0.113.9", 1))
            async with httpx.AsyncClient(transport=other, base_url="http://127.0.0.1") as http:
                assert (await http.get("/ready")).json() == {
                    "ready": True,
                    "problem": "something is missing; `skillweave status` on the server's machine "
                    "says what",
                }

    asyncio.run(test())


def test_from_another_machine_no_path_but_ours_may_be_named(
    arena: Arena, stock: Any, tmp_path: Path
) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        access = AccessState(admin_networks=("203.0.113.0/24",))
        async with arena(stock, access=access) as a:
            app = create_app(a.service)
            for host, path, status in (
                ("203.0.113.9", "/etc", 400),
                ("203.0.113.9", f"{stock.root}/../../etc", 400),
                ("203.0.113.9", f"{stock.root}/routers/x", 422),
                ("127.0.0.1", "/etc", 422),
                ("198.51.100.1", "/etc", 401),
            ):
                transport = httpx.ASGITransport(app, client=(host, 1))
                async with httpx.AsyncClient(
                    transport=transport, base_url="http://127.0.0.1"
                ) as http:
                    reply = await http.post("/admin/router", json={"path": path}, headers=ADMIN)
                    assert reply.status_code == status, (host, path, reply.text)

    asyncio.run(test())
