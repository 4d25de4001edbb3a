"""The few calls that training makes to a server's admin door."""

import json

import pytest
from skillweave.adapters.errors import EngineError
from skillweave.distill.serving import admin, is_loopback

from .scripted_teacher import NOW, Answer, Body, Raw, Reply, ScriptedTeacher


def test_a_call_says_verb_body_and_key_and_gives_the_reply() -> None:
    seen: list[tuple[str, Body]] = []

    def door(verb: str, body: Body) -> Reply:
        seen.append((verb, body))
        return Raw(body=json.dumps({"loaded": True}))

    with ScriptedTeacher(lambda body: Answer(""), admin=door) as server:
        assert admin(server, "publish", {"ref": "a@1"}) == {"loaded": True}
    assert seen == [("publish", {"ref": "a@1"})]
    assert server.requests == []


def test_a_refusal_is_told_in_the_servers_words() -> None:
    refusal = Raw(409, '{"error": {"message": "rank 64 is above the cap"}}', NOW)
    with (
        ScriptedTeacher(lambda body: Answer(""), admin=lambda verb, body: refusal) as server,
        pytest.raises(EngineError, match=r"refused publish .*'a@1'.*rank 64 is above the cap"),
    ):
        admin(server, "publish", {"ref": "a@1"})


def test_a_server_that_is_gone_is_named() -> None:
    with ScriptedTeacher(lambda body: Answer("")) as server:
        pass
    with pytest.raises(EngineError, match=rf"{server.root} did not answer publish"):
        admin(server, "publish", {})


def test_no_proxy_of_the_environment_stands_before_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with ScriptedTeacher(
        lambda body: Answer(""), admin=lambda verb, body: Raw(body="{}")
    ) as server:
        assert admin(server, "publish", {}) == {}


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://localhost/v1", True),
        ("http://[::1]:80/v1", True),
        ("http://192.0.2.1/v1", False),
        ("https://127.0.0.1.example.org/v1", False),
        ("no address", False),
    ],
)
def test_which_addresses_mean_this_machine(url: str, here: bool) -> None:
    assert is_loopback(url) == here
