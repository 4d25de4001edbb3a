"""`publish`, `promote`, `alias` against a server's admin routes."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator

import pytest
from skillweave.adapters.errors import EngineError, NotFound, UsageError
from skillweave.scripts.commands.publish import alias, promote, publish
from skillweave.server.admin_client import AdminClient

Capture = pytest.CaptureFixture[str]
Heard = list[tuple[str, str | None, dict[str, object]]]


@pytest.fixture
def server() -> Iterator[tuple[str, Heard]]:
    """A server that notes what it is asked, knows the key `good-key` and the name `sql`."""
    heard: Heard = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            key = self.headers["x-skillweave-admin-key"]
            heard.append((self.path, key, body))
            known = str(body.get("ref") or body.get("name")).startswith("sql")
            if key != "good-key":
                self._reply(401, {"error": {"message": "wrong key"}})
            elif not known:
                self._reply(404, {"error": {"message": "no such version"}})
            else:
                self._reply(200, {"ref": "sql@2", "alias": body.get("alias")})

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
    assert json.loads(lines[3])["ref"] == "sql@2"


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
    [("prod", "ALIAS=V"), ("prod=x", "ALIAS=V"), ("prod=0", "ALIAS=V"), ("prod=1,2:10", "splits")],
)
def test_bad_assignments(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        alias("sql", text, admin_key="good-key")


@pytest.mark.parametrize("verb", [publish, promote])
def test_a_bad_reference_is_refused_before_anything_is_sent(
    verb: Callable[..., int], server: tuple[str, Heard]
) -> None:
    with pytest.raises(ValueError, match="form or a weight"):
        verb("sql:text", url=server[0], admin_key="good-key")
    assert server[1] == []
