"""The audit log: what is in it, what is not, and that a missing line shows."""

import asyncio
import json
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from skillweave.adapters.errors import NotFound, StoreError
from skillweave.server.gateway.access.audit import Audit, verify
from skillweave.server.gateway.access.keys import STYLE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access" / "audit.jsonl"


def write(path: Path, count: int = 3) -> None:
    for number in range(count):
        Audit(path).record("alias", who="admin", name="sql", version=number)


def test_an_entry_says_who_when_what_and_how_it_ended(path: Path) -> None:
    Audit(path).record("publish", who="key:0123456789ab", ref="sql@2", alias=None)
    (entry,) = Audit(path).last(5)
    assert entry["who"] == "key:0123456789ab"
    assert (entry["action"], entry["result"], entry["facts"]) == ("publish", "ok", {"ref": "sql@2"})
    assert path.stat().st_mode & 0o777 == 0o600
    assert verify(path).problems == ()


def test_during_records_the_class_of_an_error_and_lets_it_go_on(path: Path) -> None:
    async def test() -> None:
        audit = Audit(path)
        async with audit.during("publish", who="admin", ref="sql@2") as act:
            act.facts["digest"] = "abc"
        with pytest.raises(NotFound):
            async with audit.during("alias", who="admin", name="nope"):
                raise NotFound("no such thing, with details")
        with pytest.raises(RuntimeError):
            async with audit.during("alias", who="admin"):
                raise RuntimeError("a bug")

    asyncio.run(test())
    entries = Audit(path).last(9)
    assert [e["result"] for e in entries] == ["ok", "NotFound", "failed"]
    assert entries[0]["facts"] == {"ref": "sql@2", "digest": "abc"}
    assert "details" not in path.read_text()


def test_no_token_and_no_line_break_gets_in(path: Path) -> None:
    token = STYLE.mint().text
    Audit(path).record("pull", who="cli:ada", source=f"x\n{token}", long="y" * 5000)
    text = path.read_text()
    assert token[-30:] not in text
    assert len(text.splitlines()) == 1
    assert len(text) < 1500


def test_a_number_that_json_does_not_have_or_that_is_endless_is_none(path: Path) -> None:
    strange = {"a": math.nan, "b": -math.inf, "c": 10**4000}
    Audit(path).record("alias", who="admin", **strange, fine=3)
    assert Audit(path).last(1)[0]["facts"] == dict.fromkeys("abc", "no number") | {"fine": 3}
    assert verify(path).problems == ()


@pytest.mark.parametrize("line", [0, 1, 2])
def test_a_line_that_was_taken_out_or_changed_shows(path: Path, line: int) -> None:
    write(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:line] + lines[line + 1 :]))
    assert verify(path).problems
    entry = json.loads(lines[line])
    entry["who"] = "somebody else"
    forged = json.dumps(entry).encode() + b"\n"
    path.write_bytes(b"".join([*lines[:line], forged, *lines[line + 1 :]]))
    assert verify(path).problems
    path.write_bytes(b"".join(lines))
    assert verify(path).problems == ()


def test_a_log_that_was_written_anew_lacks_the_head_that_was_noted(path: Path) -> None:
    write(path)
    head = verify(path).head
    path.unlink()
    path.with_name("audit.jsonl.head").unlink()
    write(path)
    assert verify(path).problems == ()
    assert verify(path, head=head).problems


def test_a_torn_line_is_dropped_by_the_next_entry_which_says_so(path: Path) -> None:
    write(path, 2)
    with path.open("ab") as log:
        log.write(b'{"action":"ali')
    assert verify(path).problems == ()
    write(path, 1)
    assert verify(path) == verify(path)
    assert verify(path).entries == 3
    facts = Audit(path).last(1)[0]["facts"]
    assert isinstance(facts, dict)
    assert facts["torn_bytes_before"] == 14


def test_many_writers_make_one_chain(path: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: Audit(path).record("x", who=f"cli:{n}"), range(24)))
    seen = verify(path)
    assert (seen.entries, seen.problems) == (24, ())


def test_a_log_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "access").write_text("a file in the way")
    with pytest.raises(StoreError, match="is not in it"):
        Audit(tmp_path / "access" / "audit.jsonl").record("publish", who="admin")
    Audit(None).record("publish", who="admin")
    assert Audit(None).last(3) == []
