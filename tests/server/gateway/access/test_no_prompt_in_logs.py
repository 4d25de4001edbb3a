"""Prompts and answers are in no log and no file, whatever goes wrong.

Requests with a mark in them go through a whole server at its most talkative: answered, streamed,
refused, malformed, left by the client, failed by the engine. Then every file that it wrote is
searched. What a gateway says about an error that nobody foresaw is tested in this process.
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from skillweave.server.access_settings import access_folder
from skillweave.server.config import ServeConfig
from skillweave.server.gateway.access.audit import Audit, verify
from skillweave.server.gateway.access.key_file import KeyFile
from skillweave.server.gateway.access.keys import Wish
from skillweave.server.gateway.access.usage_file import UsageFile
from skillweave.server.gateway.quiet import QuietFormatter
from skillweave.server.running import serve_in_background

Arena = Any
MARK = "canary-7f3a91"
ADMIN = {"x-skillweave-admin-key": "admin-key-of-the-tests"}
CHAT = "/v1/chat/completions"


def said(text: str = MARK, **more: object) -> dict[str, object]:
    return {"model": "base", "messages": [{"role": "user", "content": text}], **more}


def odd_bodies() -> Iterator[bytes]:
    """Bodies that are refused at one stage or another, each with the mark in it."""
    good = b'{"model":"base","messages":[{"role":"user","content":"MARK"}]'
    yield good  # cut off
    yield good + b',"n":"MARK"}'
    yield good + b',"n":9999}'
    yield good + b',"MARK":1}'
    yield good + b',"MARK":1,"MARK":2}'
    yield good + b',"priority":"MARK"}'
    yield good + b',"stop":["MARK","a\\ud800"]}'
    yield good + b',"temperature":"MARK"}'
    yield good + b',"max_tokens":"MARK"}'
    yield good + b',"tools":"MARK","response_format":"MARK"}'
    yield good.replace(b'"user"', b"5") + b"}"
    yield good.replace(b'"MARK"', b'{"MARK":["MARK"]}') + b"}"
    yield good.replace(b'"base"', b'"base@MARK"') + b"}"
    yield b'{"model":"base","messages":"MARK"}'
    yield b'{"model":"base","prompt":{"MARK":"MARK"}}'
    yield good + b',"x":' + b"[" * 700 + b'"MARK"' + b"]" * 700 + b"}"
    yield b'["MARK"]'
    yield b"MARK"
    yield b"[" * 5000 + b'"MARK"'
    yield b"\xff\xfeMARK"


def use(http: httpx.Client) -> set[int]:
    """Requests of every kind; returns the statuses that were seen."""
    kind = {"content-type": "application/json"}
    seen = set()
    for body in odd_bodies():
        marked = body.replace(b"MARK", MARK.encode())
        for path in (CHAT, "/v1/completions", "/v1/responses", "/tokenize"):
            seen.add(http.post(path, content=marked, headers=kind).status_code)
    seen.add(http.post(CHAT, json=said()).status_code)
    seen.add(http.post(CHAT, json=said(), headers={"authorization": "Bearer no"}).status_code)
    seen.add(http.post(CHAT, json=said(stream=True, logprobs=True)).status_code)
    seen.add(http.post("/v1/completions", json={"model": "base", "prompt": MARK}).status_code)
    seen.add(http.post(CHAT, json=said(f"{MARK} " * 3000)).status_code)  # the engine refuses it
    seen.add(http.post("/admin/publish", json={"ref": "nope@1"}, headers=ADMIN).status_code)
    seen.add(http.get(f"/nowhere/{MARK}%0aERROR").status_code)
    with http.stream("POST", CHAT, json=said(f"{MARK} " * 400, stream=True)) as reply:
        next(reply.iter_bytes())  # and the client is gone
    return seen


def files_with(mark: bytes, *folders: Path) -> list[str]:
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 5
    return [str(path) for path in files if mark in path.read_bytes()]


@pytest.mark.slow
def test_no_prompt_and_no_token_is_in_any_file(
    base_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, logs, store = tmp_path / "tmp", tmp_path / "logs", tmp_path / "store"
    runs.mkdir()
    monkeypatch.setenv("TMPDIR", str(runs))
    made = KeyFile(access_folder(store) / "keys.jsonl").create(Wish(name="ci", team="data"))
    config = ServeConfig(
        base=str(base_dir),
        store=store,
        port=0,
        engine="fake",
        admin_key=ADMIN["x-skillweave-admin-key"],
        log_dir=logs,
        log_level="debug",
        engine_args=("--token-delay", "0.002"),
    )
    with serve_in_background(config) as running:
        headers = {"authorization": f"Bearer {made.token}"}
        with httpx.Client(base_url=running.root, headers=headers, timeout=30) as http:
            assert {200, 400, 401, 404} <= use(http)
            end_engine(running.pids[2])
            statuses = {http.post(CHAT, json=said()).status_code for _ in range(5)}
            assert statuses <= {200, 502, 503}
            used = http.get("/admin/usage?by=key,adapter", headers=ADMIN).json()
            assert used[0]["key"] == made.key.id
        found = [files_with(mark, runs, logs, store) for mark in (MARK.encode(), b"FOUND-NOTHING")]
        secret = made.token[-43:].encode()
        assert files_with(secret, runs, logs, store) == []
    assert found == [[], []]
    assert files_with(MARK.encode(), logs, store) == []
    assert (logs / "access.log").stat().st_size > 0
    audit = access_folder(store) / "audit.jsonl"
    assert [e["action"] for e in Audit(audit).last(5)] == ["publish"]
    assert verify(audit).problems == ()
    (row,) = UsageFile(access_folder(store) / "usage.sqlite").table(["team"])
    assert row["team"] == "data"
    assert int(str(row["completion_tokens"])) > 0


def end_engine(keeper: int) -> None:
    """Kill the engine below its keeper, as a crash would."""
    import psutil

    for child in psutil.Process(keeper).children(recursive=True):
        child.kill()
    time.sleep(0.05)


def test_an_error_that_nobody_foresaw_is_logged_without_its_words(
    arena: Arena, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        """A part with a bug that quotes what it was given."""

        async def resolve(self, fields: Any, **more: Any) -> Any:
            return int(fields["messages"][0]["content"])

    async def test() -> None:
        async with arena() as a:
            a.service.resolver = Broken()
            reply = await a.http.post(CHAT, json=said())
            assert reply.status_code == 500
            assert MARK not in reply.text
            assert "Traceback" not in reply.text

    with caplog.at_level(logging.DEBUG):
        asyncio.run(test())
    assert any(record.exc_info for record in caplog.records)
    lines = [QuietFormatter().format(record) for record in caplog.records]
    assert any("ValueError" in line for line in lines)
    assert not any(MARK in line for line in lines)
