"""`publish`, `upload`, `promote`, `alias`, `rollback` against a server's admin routes."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from skillweave.adapters.errors import EngineError, NotFound, UsageError
from skillweave.scripts.commands.publish import alias, promote, publish, rollback, upload
from skillweave.scripts.commands.shares import parse_assignment
from skillweave.server.admin_client import AdminClient

Capture = pytest.CaptureFixture[str]
Heard = list[tuple[str, str | None, dict[str, object]]]


@pytest.fixture
def server() -> Iterator[tuple[str, Heard]]:
    """A server that notes what it is asked, knows the key `good-key` and the name `sql`."""
    heard: Heard = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            form = self.headers["content-type"] != "application/json"
            body = {"ref": "sql", "raw": raw.decode()} if form else json.loads(raw)
            key = self.headers["x-skillweave-admin-key"]
            heard.append((self.path, key, body))
            known = str(body.get("ref") or body.get("name")).startswith("sql")
            if key != "good-key":
                self._reply(401, {"error": {"message": "wrong key"}})
            elif not known:
                self._reply(404, {"error": {"message": "no such version"}})
            else:
                answer = {"ref": "sql@2", "alias": body.get("alias")}
                if self.path == "/admin/upload":
                    answer = {"versions": [answer]}
                if self.path == "/admin/split":
                    answer = body
                self._reply(200, answer)

        def _reply(self, status: int, body: object) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *args: object) -> None:
            """Nothing is printed."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}/v1", heard
        listening.shutdown()
        thread.join()


def test_what_is_asked(server: tuple[str, Heard], capsys: Capture) -> None:
    url, heard = server
    assert publish("sql@2", url=url, admin_key="good-key") == 0
    assert promote("sql@2", url=url, admin_key="good-key") == 0
    assert promote("sql@2", alias="prod", url=url, admin_key="good-key") == 0
    assert alias("sql", "prod=2", url=url, admin_key="good-key", json=True) == 0
    assert [(path, body) for path, _, body in heard] == [
        ("/admin/publish", {"ref": "sql@2"}),
        ("/admin/publish", {"ref": "sql@2", "alias": "default"}),
        ("/admin/publish", {"ref": "sql@2", "alias": "prod"}),
        ("/admin/alias", {"name": "sql", "alias": "prod", "version": 2}),
    ]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "sql@2 is served"
    assert lines[1] == "sql@2 is served, alias 'default' points at it"
    assert json.loads("".join(lines[3:]))["ref"] == "sql@2"


def test_address_and_key_from_the_environment(
    server: tuple[str, Heard], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKILLWEAVE_URL", server[0])
    monkeypatch.setenv("SKILLWEAVE_ADMIN_KEY", "good-key")
    assert publish("sql") == 0


def test_refusals_keep_their_class(server: tuple[str, Heard]) -> None:
    url = server[0]
    with pytest.raises(NotFound, match="no such version"):
        publish("csv@1", url=url, admin_key="good-key")
    with pytest.raises(UsageError, match="wrong key"):
        publish("sql@1", url=url, admin_key="bad-key!")


def test_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SKILLWEAVE_ADMIN_KEY", raising=False)
    with pytest.raises(UsageError, match="SKILLWEAVE_ADMIN_KEY"):
        publish("sql")


def test_no_server() -> None:
    with pytest.raises(EngineError, match="skillweave serve"):
        AdminClient("http://127.0.0.1:9", "good-key").post("publish", {})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        *((text, "ALIAS=V") for text in ("prod", "=3", "prod=", "prod=x", "prod=0", "prod=1:x")),
        ("prod=1:-5", "ALIAS=V"),
        ("prod=1,1:5", "twice"),
        ("prod=1,2", "the rest"),
        ("prod=1,2:100", "leaves nothing"),
    ],
)
def test_bad_assignments(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        alias("sql", text, admin_key="good-key")


def test_shares() -> None:
    assert parse_assignment("prod=3") == ("prod", {3: 100})
    assert parse_assignment("prod=3:90,4:10") == ("prod", {3: 90, 4: 10})
    assert parse_assignment("prod=4:10,3") == ("prod", {4: 10, 3: 90})
    assert parse_assignment("prod=4:0,3:1") == ("prod", {4: 0, 3: 1})


def test_a_split_a_step_and_a_way_back(server: tuple[str, Heard], capsys: Capture) -> None:
    url, heard = server
    assert alias("sql", "prod=2:90,3:10", url=url, admin_key="good-key") == 0
    assert promote("sql-run@7", "sql", url=url, admin_key="good-key") == 0
    assert rollback("sql", alias="prod", url=url, admin_key="good-key") == 0
    assert [(path, body) for path, _, body in heard] == [
        ("/admin/split", {"name": "sql", "alias": "prod", "weights": {"2": 90, "3": 10}}),
        ("/admin/promote", {"ref": "sql-run@7", "name": "sql", "alias": "default"}),
        ("/admin/rollback", {"name": "sql", "alias": "prod"}),
    ]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "sql@prod is split between versions 2: 90, 3: 10"


def test_a_way_back_in_the_store_asks_no_server(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        rollback("sql", store=tmp_path / "store")


def test_uploads(server: tuple[str, Heard], tmp_path: Path, capsys: Capture) -> None:
    url, heard = server
    folder = tmp_path / "a"
    folder.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (folder / name).write_text(f"bytes of {name}")
    bundle = tmp_path / "b"
    bundle.write_text("a bundle")
    how = {"url": url, "admin_key": "good-key"}
    assert upload(folder, name="sql", alias="prod", **how) == 0
    assert upload(folder, run="sql", step=3, **how) == 0
    assert upload(bundle, **how) == 0
    assert [path for path, _, _ in heard] == ["/admin/upload", "/admin/publish", "/admin/upload"]
    sent = [str(body["raw"]) for _, _, body in heard]
    assert 'name="alias"\r\n\r\nprod\r\n' in sent[0]
    assert 'filename="adapter_config.json"\r\n\r\nbytes of adapter_config.json\r\n' in sent[0]
    assert 'name="step"\r\n\r\n3\r\n' in sent[1]
    assert sent[2] == "a bundle"
    assert capsys.readouterr().out.splitlines()[0] == "sql@2 is stored"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "--name"),
        ({"run": "rl"}, "--step"),
        ({"step": 1}, "--run"),
        ({"run": "rl", "step": 1, "name": "x"}, "neither"),
    ],
)
def test_uploads_that_go_nowhere(fields: dict[str, Any], says: str, tmp_path: Path) -> None:
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (tmp_path / name).touch()
    with pytest.raises(UsageError, match=says):
        upload(tmp_path, admin_key="good-key", **fields)


def test_uploads_of_what_is_no_adapter(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a PEFT folder"):
        upload(tmp_path, name="x", admin_key="good-key")
    with pytest.raises(UsageError, match="neither a folder nor a bundle"):
        upload(tmp_path / "nope", name="x", admin_key="good-key")
    (tmp_path / "bundle").touch()
    with pytest.raises(UsageError, match="says itself"):
        upload(tmp_path / "bundle", name="x", admin_key="good-key")


@pytest.mark.parametrize("verb", [publish, promote])
def test_a_bad_reference_is_refused_before_anything_is_sent(
    verb: Callable[..., int], server: tuple[str, Heard]
) -> None:
    with pytest.raises(ValueError, match="form or a weight"):
        verb("sql:text", url=server[0], admin_key="good-key")
    assert server[1] == []
