"""The page's routes without a browser: headers, files, and who sees what."""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from skillweave.scripts.exams.page_place import SEED
from skillweave.server.access_settings import AccessState
from skillweave.server.engines.fake import FakeEngine
from skillweave.server.gateway.access.key_file import KeyFile
from skillweave.server.gateway.access.keys import Wish
from skillweave.server.gateway.ui.assets import FOLDER, load_assets

ADMIN = {"x-skillweave-admin-key": "admin-key-of-the-tests"}


def run(test: Any) -> None:
    asyncio.run(test())


async def seen(http: httpx.AsyncClient, path: str, **headers: str) -> Any:
    reply = await http.get(f"/ui/api/{path}", headers=headers)
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_every_file_and_document_is_guarded(arena: Any) -> None:
    async def test() -> None:
        async with arena() as a:
            paths = ["/ui", "/ui/", *(f"/ui/{name}" for name in load_assets())]
            for path in [*paths, "/ui/nothing.js", "/ui/api/status", "/ui/api/skills"]:
                reply = await a.http.get(path)
                policy = reply.headers["content-security-policy"]
                assert "default-src 'none'" in policy
                assert "frame-ancestors 'none'" in policy
                assert "unsafe" not in policy
                assert "*" not in policy
                assert reply.headers["x-content-type-options"] == "nosniff"
                assert reply.headers["referrer-policy"] == "no-referrer"
                assert reply.headers["x-frame-options"] == "DENY"
                assert "access-control-allow-origin" not in reply.headers

    run(test)


def test_files_are_sent_with_their_kind_and_kept_by_their_digest(arena: Any) -> None:
    async def test() -> None:
        async with arena() as a:
            page = await a.http.get("/ui")
            assert page.headers["content-type"] == "text/html; charset=utf-8"
            script = await a.http.get("/ui/main.js")
            assert script.headers["content-type"] == "text/javascript; charset=utf-8"
            etag = {"if-none-match": script.headers["etag"]}
            again = await a.http.get("/ui/main.js", headers=etag)
            assert (again.status_code, again.content) == (304, b"")
            assert (await a.http.head("/ui")).status_code == 200

    run(test)


@pytest.mark.parametrize(
    "path",
    ["/ui/../routes.py", "/ui/..%2froutes.py", "/ui/%2e%2e/%2e%2e/app.py", "/ui/a/b"],
)
def test_nothing_but_the_page_s_files_can_be_asked_for(arena: Any, path: str) -> None:
    async def test() -> None:
        async with arena() as a:
            assert (await a.http.get(path)).status_code == 404

    run(test)


def test_the_page_is_whole_and_asks_nobody_else() -> None:
    files = {path.name: path.read_text() for path in FOLDER.iterdir()}
    page = files["index.html"]
    assert set(re.findall(r'(?:src|href)="/ui/([^"]+)"', page)) <= set(files)
    for script in re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL):
        assert script == ""
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page)
    for name, text in files.items():
        foreign = set(re.findall(r"https?://[\w.]+", text))
        assert foreign <= {"http://www.w3.org"}, name
        for wanted in re.findall(r"from '\./([^']+)'", text):
            assert wanted in files, f"{name} imports {wanted}"
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)


def test_labels_and_roles_name_what_the_page_has() -> None:
    page = (FOLDER / "index.html").read_text()
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for attribute in ("for", "aria-controls", "aria-labelledby", "aria-describedby", "list"):
        for value in re.findall(rf'\s{attribute}="([^"]+)"', page):
            known = {*ids, "detail-title"}  # the last is made by detail.js
            assert set(value.split()) <= known, value


def test_evidence_is_shown_with_intervals_and_controls(arena: Any, filled: Any) -> None:
    async def test() -> None:
        async with arena(filled) as a:
            listed = await seen(a.http, "skills")
            names = [one["id"] for one in listed["skills"]]
            assert names == ["csv-clean", "sql-report", "team/blend", "team/evil"]
            row = listed["skills"][1]
            assert (row["form"], row["version"], row["versions"]) == ("adapter", "2", [1, 2])
            assert row["accuracy"]["mean"] == 0.9
            assert row["accuracy"]["low"] == pytest.approx(0.7695, abs=1e-3)
            one = await seen(a.http, "skills/sql-report")
            assert [v["number"] for v in one["history"]] == [2, 1]
            assert [v["aliases"] for v in one["history"]] == [["default"], ["prod"]]
            (found,) = one["history"][0]["evidence"]
            roles = {arm["name"]: arm["role"] for arm in found["arms"]}
            assert roles == {"none": "control", "text": "text", "s2l": "adapter"}
            assert one["history"][0]["weights"]["rank"] == 2
            blend = (await seen(a.http, "skills/team/blend"))["history"][0]
            assert [(p["ref"], p["weight"]) for p in blend["parents"]] == [
                ("sql-report@2", 0.6),
                ("csv-clean@1", 0.4),
            ]

    run(test)


def test_a_search_narrows_the_list(arena: Any, filled: Any) -> None:
    async def test() -> None:
        async with arena(filled) as a:
            found = await seen(a.http, "skills?search=TABLE")
            assert [one["id"] for one in found["skills"]] == ["csv-clean"]
            assert found["total"] == 4

    run(test)


def test_how_it_was_made_is_for_the_admin(arena: Any, filled: Any) -> None:
    async def test() -> None:
        async with arena(filled) as a:
            plain = (await a.http.get("/ui/api/skills/sql-report")).text
            assert str(SEED) not in plain
            assert "epochs" not in plain
            told = await seen(a.http, "skills/sql-report", **ADMIN)
            making = told["history"][0]["making"]
            assert making["recipe"]["config"] == {"epochs": 3}
            assert making["seed"] == SEED

    run(test)


def test_a_key_shows_what_it_may_ask_and_tells_nothing_of_the_rest(
    arena: Any, filled: Any, tmp_path: Path
) -> None:
    async def test() -> None:
        keys = KeyFile(tmp_path / "access" / "keys.jsonl")
        token = keys.create(Wish(name="scoped", globs=("team/*",))).token
        bearer = {"authorization": f"Bearer {token}"}
        access = AccessState(keys=keys.path, keys_required=True)
        async with arena(filled, access=access) as a:
            assert await seen(a.http, "skills") == {"skills": [], "total": 0}
            mine = await seen(a.http, "skills", **bearer)
            assert [one["id"] for one in mine["skills"]] == ["team/blend", "team/evil"]
            blend = await a.http.get("/ui/api/skills/team/blend", headers=bearer)
            assert [p["weight"] for p in blend.json()["history"][0]["parents"]] == [0.6, 0.4]
            assert "sql-report" not in blend.text
            hidden = await a.http.get("/ui/api/skills/sql-report", headers=bearer)
            absent = await a.http.get("/ui/api/skills/sql-repork", headers=bearer)
            assert hidden.status_code == absent.status_code == 404
            assert hidden.text.replace("sql-report", "X") == absent.text.replace("sql-repork", "X")
            who = (await seen(a.http, "status", **bearer))["viewer"]
            assert (who["may_ask"], who["admin"]) == (True, False)
            assert not (await seen(a.http, "status"))["viewer"]["may_ask"]
            everything = await seen(a.http, "skills", **ADMIN)
            assert everything["total"] == 4

    run(test)


def test_engines_and_traffic_are_for_the_admin(arena: Any, filled: Any) -> None:
    async def test() -> None:
        async with arena(filled, engines=[FakeEngine(), FakeEngine()]) as a:
            assert (await a.http.get("/ui/api/resident")).status_code == 401
            assert (await a.http.get("/ui/api/live")).status_code == 401
            await a.chat("sql-report")
            await a.chat("nope")
            here = await seen(a.http, "resident", **ADMIN)
            assert [engine["ready"] for engine in here["engines"]] == [True, True]
            (adapter,) = here["adapters"]
            assert (adapter["ref"], adapter["in_use"]) == ("sql-report@2", 0)
            held = [engine["held"] for engine in here["engines"]]
            assert any(adapter["name"] in each["slots"] + each["host"] for each in held)
            live = await seen(a.http, "live", **ADMIN)
            told = {one["adapter"]: (one["requests"], one["failed"]) for one in live["adapters"]}
            assert told == {"sql-report": (1, 0), "": (1, 1)}
            assert live["queue"]["waiting"] == live["in_flight"] == 0

    run(test)


def test_an_engine_that_is_gone_is_told_without_an_error(arena: Any, filled: Any) -> None:
    async def test() -> None:
        async with arena(filled) as a:
            engines = tuple(e.model_copy(update={"ready": False}) for e in a.service.state.engines)
            await a.service.follow(a.service.state.model_copy(update={"engines": engines}))
            now = await seen(a.http, "status")
            assert (now["ready"], now["problem"]) == (False, "no engine is ready yet")
            (engine,) = (await seen(a.http, "resident", **ADMIN))["engines"]
            assert (engine["ready"], engine["held"]) == (False, None)

    run(test)


def test_a_page_of_somebody_else_gets_nothing(arena: Any, filled: Any) -> None:
    async def test() -> None:
        async with arena(filled) as a:
            for path in ("status", "skills", "skills/sql-report", "resident", "live"):
                reply = await a.http.get(
                    f"/ui/api/{path}", headers={**ADMIN, "host": "evil.example"}
                )
                assert reply.status_code in (401, 403), path
                assert "sql-report" not in reply.text

    run(test)


def test_an_alias_that_is_split_says_between_which_versions(arena: Any, filled: Any) -> None:
    async def test() -> None:
        async with arena(filled) as a:
            weights = {"1": 1, "2": 3}
            reply = await a.admin("split", name="sql-report", alias="default", weights=weights)
            assert reply.status_code == 200, reply.text
            one = await seen(a.http, "skills/sql-report")
            assert one["splits"] == {"default": {"1": 1, "2": 3}}

    run(test)
