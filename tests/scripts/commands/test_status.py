"""`status` tells how a server is, to people and to programs."""

import pytest
from skillweave.scripts.cli import main
from skillweave.scripts.commands.status import told
from skillweave.server.look import Look

Capture = pytest.CaptureFixture[str]

STATE: dict[str, object] = {
    "base": "b",
    "max_lora_rank": 16,
    "engines": [{"url": "http://127.0.0.1:1", "pid": 7, "ready": False, "restarts": 3}],
    "loaded": [{"ref": "sql@1", "in_use": 2, "retired": False}],
}


def printed(found: Look, capsys: Capture) -> str:
    from rich.console import Console

    for part in told(found):
        Console(width=100).print(part)
    return capsys.readouterr().out


def test_with_the_admin_key_engines_and_adapters_are_listed(capsys: Capture) -> None:
    page = printed(Look("http://x", False, "no engine is ready yet", STATE), capsys)
    assert "not ready: no engine is ready yet" in page
    assert "http://127.0.0.1:1" in page
    assert "sql@1" in page


def test_without_it_only_whether_it_is_ready(capsys: Capture) -> None:
    page = printed(Look("http://x", True, "", None), capsys)
    assert page.startswith("http://x: ready")
    assert "SKILLWEAVE_ADMIN_KEY" in page


def test_where_no_server_is(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SKILLWEAVE_ADMIN_KEY", raising=False)
    assert main(["status", "http://127.0.0.1:9"]) == 1
    assert "no server answers at http://127.0.0.1:9" in capsys.readouterr().err
