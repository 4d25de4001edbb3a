"""Bytes that come over HTTP: forms and bundles, their bounds, and where they end up."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from skillweave.server.gateway.errors import RequestRefused
from skillweave.server.gateway.publishing import upload_form, uploads
from skillweave.server.gateway.publishing.uploads import Receiver, save_stream
from starlette.requests import ClientDisconnect

from ....one_module import make_adapter

Arena = Any
KEY = {"x-skillweave-admin-key": "admin-key-of-the-tests"}
SMALL = {**upload_form.SIZES, "adapter_model.safetensors": 40}
KIND = "multipart/form-data; boundary=b"


def run(test: Any) -> None:
    asyncio.run(test())


class Body:
    """A request that comes in pieces."""

    def __init__(self, raw: bytes, *, piece: int = 7) -> None:
        self._raw, self._piece = raw, piece

    async def stream(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._raw), self._piece):
            yield self._raw[start : start + self._piece]


def part(name: str, data: bytes, *, file: str | None = None) -> bytes:
    filename = f'; filename="{file}"' if file else ""
    head = f'--b\r\ncontent-disposition: form-data; name="{name}"{filename}\r\n\r\n'
    return head.encode() + data + b"\r\n"


def files(*, config: bytes = b"{}", weights: bytes = b"w" * 50) -> bytes:
    return part("adapter_config.json", config) + part(
        "x", weights, file="adapter_model.safetensors"
    )


def take(folder: Path, raw: bytes) -> uploads.Upload:
    receiver = Receiver(folder, content_type=KIND)
    asyncio.run(receiver.take(Body(raw)))
    return receiver.finish()


def test_files_and_fields_of_a_form(tmp_path: Path) -> None:
    came = take(tmp_path / "a", files() + part("run", b"rl") + b"--b--\r\n")
    assert came.fields == {"run": "rl"}
    assert (came.folder / "adapter_model.safetensors").read_bytes() == b"w" * 50
    assert sorted(each.name for each in came.folder.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    again = take(tmp_path / "b", files() + part("run", b"other") + b"--b--\r\n")
    assert again.digest == came.digest
    other = take(tmp_path / "c", files(config=b"{ }") + b"--b--\r\n")
    assert other.digest != came.digest


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "without adapter_config.json"),
        (b"no form", "no multipart form"),
        (files(), "cut off"),
        (part("adapter_config.json", b"{}") + b"--b--\r\n", "without adapter_model.safetensors"),
        (files() + part("adapter_config.json", b"{}") + b"--b--\r\n", "twice"),
        (files() + part("run", b"a") + part("run", b"b") + b"--b--\r\n", "twice"),
        (part("x", b"", file="../../etc/passwd"), "expected adapter_config.json"),
        (part("x", b"", file="adapter_model.bin"), "expected adapter_config.json"),
        (part("run", b"x" * 1025), "larger than 1024"),
        (b"".join(part(f"f{n}", b"") for n in range(17)), "more than 16 parts"),
        (part("n" * 100_000, b""), "no multipart form"),
    ],
)
def test_forms_that_are_refused(tmp_path: Path, raw: bytes, words: str) -> None:
    with pytest.raises(RequestRefused, match=words):
        take(tmp_path / "a", raw)


def test_a_file_above_its_bound_is_refused_while_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_form, "SIZES", SMALL)
    with pytest.raises(RequestRefused, match="larger than 40 bytes") as caught:
        take(tmp_path / "a", files() + b"--b--\r\n")
    assert caught.value.status == 413


def test_a_client_that_leaves_in_the_middle(tmp_path: Path) -> None:
    class Gone:
        async def stream(self) -> AsyncIterator[bytes]:
            yield files()
            raise ClientDisconnect

    with pytest.raises(RequestRefused, match="client left"):
        asyncio.run(Receiver(tmp_path / "a", content_type=KIND).take(Gone()))


def test_a_bundle_above_its_bound_is_refused_while_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_BUNDLE_BYTES", 40)
    with pytest.raises(RequestRefused, match="larger than 40 bytes"):
        asyncio.run(save_stream(Body(b"x" * 50), tmp_path / "x"))


def test_an_upload_is_stored_and_served_when_it_is_asked_for(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        folder = make_adapter(stock.work / "a", seed=1)
        async with arena(stock) as a:
            reply = await a.send("upload", folder, name="team/sql")
            assert reply.status_code == 200, reply.text
            assert [each["ref"] for each in reply.json()["versions"]] == ["team/sql@1"]
            assert a.engines[0].loads == []
            assert stock.store.resolve("team/sql").card.base.asserted
            assert (await a.chat("team/sql")).headers["x-skillweave-version"] == "1"
            other = make_adapter(stock.work / "b", seed=2)
            await a.send("upload", other, name="team/sql", alias="prod")
            assert stock.store.resolve("team/sql@prod").number == 2
            assert len(a.engines[0].loads) == 2
            left = [each.name for each in a.service.state.run_dir.glob("upload-*")]
            assert left == []

    run(test)


def test_an_upload_above_the_cap_stays_stored(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        folder = make_adapter(stock.work / "a", seed=1, rank=4)
        async with arena(stock, max_lora_rank=2) as a:
            reply = await a.send("upload", folder, name="big", alias="prod")
            assert reply.status_code == 409
            message = reply.json()["error"]["message"]
            assert "big@1 is stored" in message
            assert "--max-lora-rank 4" in message
            assert stock.store.resolve("big@1").number == 1
            assert "prod" not in stock.store.aliases("big")

    run(test)


def test_a_bundle_brings_its_versions(arena: Arena, stock: Any, tmp_path: Path) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        stock.put("sql", seed=2)
        bundle = tmp_path / "sql.bundle"
        stock.store.export_bundle(["sql@1", "sql@2"], bundle)
        for number in (2, 1):
            if number == 2:
                stock.store.tag("sql", "default", 1)
            stock.store.remove("sql", number)
        headers = {**KEY, "content-type": "application/octet-stream"}
        async with arena(stock) as a:
            raw = bundle.read_bytes()
            reply = await a.http.post("/admin/upload", content=raw, headers=headers)
            assert reply.status_code == 200, reply.text
            assert [each["ref"] for each in reply.json()["versions"]] == ["sql@3", "sql@4"]
            reply = await a.http.post("/admin/upload", content=raw[:-9], headers=headers)
            assert reply.status_code == 422
            assert "truncated_bundle" in reply.json()["error"]["message"]
            assert str(a.service.state.run_dir) not in reply.text

    run(test)


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/plain", b"x", 415),
        ("multipart/form-data", b"x", 415),
        ("multipart/form-data; boundary=" + "b" * 300, b"x", 400),
        ("application/json", b"{}", 415),
        ("application/octet-stream", b"", 422),
        (KIND, files() + b"--b--\r\n", 400),
        (KIND, files() + part("name", b"NO") + b"--b--\r\n", 400),
        (KIND, files() + part("name", b"x") + part("alias", b"9") + b"--b--\r\n", 400),
    ],
)
def test_uploads_that_are_refused(
    arena: Arena, stock: Any, kind: str, body: bytes, status: int
) -> None:
    async def test() -> None:
        async with arena(stock) as a:
            headers = {**KEY, "content-type": kind}
            reply = await a.http.post("/admin/upload", content=body, headers=headers)
            assert reply.status_code == status, reply.text
            assert set(reply.json()["error"]) == {"message", "type", "param", "code"}
            assert stock.store.list() == []

    run(test)


def test_a_name_that_a_run_has_is_not_stored(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        folder = make_adapter(stock.work / "a", seed=1)
        async with arena(stock) as a:
            await a.send("publish", folder, run="rl", step=1)
            reply = await a.send("upload", folder, name="rl")
            assert reply.status_code == 409
            assert "name of a run" in reply.json()["error"]["message"]

    run(test)
