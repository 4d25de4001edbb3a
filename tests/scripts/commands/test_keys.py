"""`keys`, `usage` and `audit` on the command line."""

import json
from pathlib import Path

import pytest
from skillweave.scripts.cli import main
from skillweave.server.access_settings import AUDIT_FILE, USAGE_FILE, access_folder
from skillweave.server.gateway.access.audit import Audit
from skillweave.server.gateway.access.key_file import KeyFile
from skillweave.server.gateway.access.key_ring import KeyRing
from skillweave.server.gateway.access.usage_file import Sum, UsageFile, Where

from ...one_module import make_adapter, make_base


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(words) == code
    return capsys.readouterr().out


def test_the_life_of_a_key(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--store", str(store))
    options = ("--team", "data", "--adapters", "data/sql-*", "--adapters", "base", "--days", "30")
    token = said(capsys, "keys", "create", "ci", *options, "--day-tokens", "1000", *where).strip()
    path = access_folder(store) / "keys.jsonl"
    key = KeyRing(path).find(token)
    assert key is not None
    assert (key.team, key.globs, key.budget.day_tokens) == ("data", ("data/sql-*", "base"), 1000)
    shown = json.loads(said(capsys, "keys", "show", "ci", *where))
    assert shown["state"] == "valid"
    listed = said(capsys, "keys", "list", "--json", *where)
    assert json.loads(listed) == [shown]
    assert "sha256" not in listed
    assert "data/sql-*" in said(capsys, "keys", "list", *where)
    turned = json.loads(said(capsys, "keys", "rotate", "ci", "--json", *where))["token"]
    assert KeyRing(path).find(token) is None
    assert KeyRing(path).find(turned) is not None
    said(capsys, "keys", "revoke", "ci", *where)
    assert KeyRing(path).find(turned) is None
    said(capsys, "keys", "revoke", "ci", *where, code=1)
    said(capsys, "keys", "create", "Not A Name", *where, code=2)
    entries = Audit(access_folder(store) / AUDIT_FILE).last(9)
    assert [e["action"] for e in entries] == ["key-create", "key-rotate", "key-revoke"]
    assert all(str(e["who"]).startswith("cli:") for e in entries)
    assert said(capsys, "audit", "verify", *where).startswith("3 entries")
    assert "key-rotate" in said(capsys, "audit", "show", "--last", "2", *where)


def test_keys_may_lie_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "secrets" / "keys.jsonl"
    where = ("--keys", str(file), "--store", str(tmp_path / "store"))
    said(capsys, "keys", "create", "root", "--admin", *where)
    assert KeyFile(file).find("root").admin


def test_an_audit_log_that_was_changed_is_found(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = access_folder(store) / AUDIT_FILE
    for number in range(3):
        Audit(path).record("alias", who="admin", version=number)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[2])
    told = said(capsys, "audit", "verify", "--store", str(store), code=1)
    assert "line 2 does not follow" in told


def test_usage_in_three_forms(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = UsageFile(access_folder(store) / USAGE_FILE)
    file.add({Where("2026-01-01", "k1", "data", "sql"): Sum(2, 30, 12)})
    file.add({Where("2026-02-01", "k2", "web", "base"): Sum(1, 5, 5)})
    where = ("--store", str(store))
    assert said(capsys, "usage", "--csv", *where).splitlines() == [
        "team,adapter,requests,prompt_tokens,completion_tokens,tokens",
        "data,sql,2,30,12,42",
        "web,base,1,5,5,10",
    ]
    since = ("--by", "key", "--since", "2026-01-15")
    assert json.loads(said(capsys, "usage", *since, "--json", *where)) == [
        {"key": "k2", "requests": 1, "prompt_tokens": 5, "completion_tokens": 5, "tokens": 10}
    ]
    assert "sql" in said(capsys, "usage", *where)
    said(capsys, "usage", "--by", "nonsense", *where, code=2)
    said(capsys, "usage", "--since", "yesterday", *where, code=2)


def test_what_points_elsewhere_after_a_verb_of_the_store_is_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base, store = make_base(tmp_path / "base"), tmp_path / "store"
    where = ("--store", str(store))
    for seed in (1, 2):
        adapter = str(make_adapter(tmp_path / f"a{seed}", seed=seed))
        said(capsys, "add", adapter, "--name", "sql", "--base", str(base), *where)
    said(capsys, "tag", "sql@2", "prod", *where)
    said(capsys, "tag", "sql@9", "prod", *where, code=1)
    said(capsys, "rm", "sql@2", *where, code=1)
    entries = Audit(access_folder(store) / AUDIT_FILE).last(9)
    assert [(e["action"], e["result"]) for e in entries] == [
        ("tag", "ok"),
        ("tag", "NotFound"),
        ("rm", "Conflict"),
    ]
    assert entries[0]["facts"] == {"ref": "sql@2", "alias": "prod"}
