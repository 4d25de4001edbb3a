"""A bank on disk: crashes, second writers, hands that edit, hostile ledgers."""

import multiprocessing
import shutil
from pathlib import Path

import pytest
from skillweave.adapters.errors import Conflict, NotFound, SkillError, StoreError
from skillweave.adapters.skills import folder_digest, read_skill, validate_skill
from skillweave.distill.bank import (
    SkillBank,
    SkillOp,
    open_bank,
    read_bank,
    to_skill,
    to_text,
    write_fork,
)

from .samples import PASSED, WHY, create, text


def made(root: Path, *names: str) -> SkillBank:
    with open_bank(root) as folder:
        for name in names:
            folder.bank.apply(create(name))
        return folder.bank


def test_what_was_written_is_read_and_gone_on_with(tmp_path: Path) -> None:
    first = made(tmp_path / "bank", "a", "b")
    with open_bank(tmp_path / "bank") as folder:
        assert folder.notes == ()
        assert folder.bank.state == first.state
        folder.bank.apply(SkillOp(kind="retire", targets=("a",), gate=WHY))
    bank, notes = read_bank(tmp_path / "bank")
    assert bank.names == ("b",)
    assert notes == ()


def test_active_skills_are_plain_valid_folders_named_by_their_digest(tmp_path: Path) -> None:
    more = text("a").model_copy(
        update={"files": {"references/u.md": "one\n"}, "body": "Read references/u.md for units."}
    )
    with open_bank(tmp_path / "bank") as folder:
        folder.bank.apply(SkillOp(kind="create", new=(more,), gate=WHY))
        folder.bank.apply(create("b"))
        folder.bank.apply(SkillOp(kind="retire", targets=("b",), gate=WHY))
    place = tmp_path / "bank" / "skills"
    assert [p.name for p in place.iterdir()] == ["a"]
    assert validate_skill(place / "a") == []
    assert folder_digest(place / "a") == read_bank(tmp_path / "bank")[0].state.heads["a"]
    skill, warnings = read_skill(place / "a")
    assert warnings == []
    assert to_text(skill) == more
    assert to_skill(more).body == skill.body


@pytest.mark.parametrize("tail", [b'{"seq":9,"id":"ab', b"\x00\x00\x00\n", b"\x00\xff"])
def test_a_torn_last_line_is_cut_off_and_said(tmp_path: Path, tail: bytes) -> None:
    whole = made(tmp_path / "bank", "a")
    ledger = tmp_path / "bank" / "ledger.jsonl"
    before = ledger.read_bytes()
    ledger.write_bytes(before + tail)
    bank, notes = read_bank(tmp_path / "bank")
    assert bank.state == whole.state
    assert "torn" in notes[0]
    assert ledger.read_bytes() == before + tail  # a reader leaves it alone
    with open_bank(tmp_path / "bank") as folder:
        assert "torn" in folder.notes[0]
        assert f"{len(tail)} bytes" in folder.notes[0]
        assert ledger.read_bytes() == before
        folder.bank.apply(create("b"))
    assert read_bank(tmp_path / "bank")[0].names == ("a", "b")


def test_a_ledger_cut_anywhere_opens_with_the_events_that_are_whole(tmp_path: Path) -> None:
    made(tmp_path / "bank", "a", "b")
    ledger = tmp_path / "bank" / "ledger.jsonl"
    data = ledger.read_bytes()
    for cut in range(data.index(b"\n") + 1, len(data), 97):
        ledger.write_bytes(data[:cut])
        bank, _ = read_bank(tmp_path / "bank")
        assert len(bank.events) == data[:cut].count(b"\n")


def test_folders_that_a_crash_left_behind_are_put_right(tmp_path: Path) -> None:
    root = tmp_path / "bank"
    made(root, "a", "b")
    old = tmp_path / "old"
    shutil.copytree(root / "skills" / "a", old)
    with open_bank(root) as folder:
        new = text("a", "1. New.")
        folder.bank.apply(SkillOp(kind="improve", targets=("a",), new=(new,), gate=PASSED))
        folder.bank.apply(SkillOp(kind="retire", targets=("b",), gate=WHY))
    shutil.rmtree(root / "skills" / "a")
    shutil.copytree(old, root / "skills" / "a")  # as before the improvement
    (root / "skills" / ".partial-x").mkdir()
    with open_bank(root):
        pass
    assert [p.name for p in (root / "skills").iterdir()] == ["a"]
    assert "1. New." in (root / "skills" / "a" / "SKILL.md").read_text()


def test_a_folder_edited_by_hand_is_not_overwritten(tmp_path: Path) -> None:
    root = tmp_path / "bank"
    made(root, "a")
    file = root / "skills" / "a" / "SKILL.md"
    mine = file.read_text() + "My own line.\n"
    file.write_text(mine)
    with pytest.raises(Conflict, match="move it elsewhere"), open_bank(root):
        pass
    assert file.read_text() == mine
    assert read_bank(root)[0].names == ("a",)


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    root = tmp_path / "bank"
    with open_bank(root) as folder:
        folder.bank.apply(create("a"))
        with pytest.raises(Conflict, match="open in another process"), open_bank(root):
            pass
        assert read_bank(root)[0].names == ("a",)
    with open_bank(root):
        pass


def _write_many(root: Path, mark: str) -> None:
    done = 0
    while done < 5:
        try:
            with open_bank(root) as folder:
                folder.bank.apply(create(f"{mark}-{done}"))
                done += 1
        except Conflict:
            continue


@pytest.mark.slow
def test_two_processes_that_write_lose_nothing(tmp_path: Path) -> None:
    root = tmp_path / "bank"
    made(root)
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(root, mark)) for mark in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(read_bank(root)[0]) == 10


def test_a_ledger_that_grew_behind_the_writer_is_noticed(tmp_path: Path) -> None:
    root = tmp_path / "bank"
    with open_bank(root) as folder:
        with (root / "ledger.jsonl").open("ab") as file:
            file.write(b"{}\n")
        with pytest.raises(StoreError, match="somebody else changed it"):
            folder.bank.apply(create("a"))
        assert folder.bank.names == ()


@pytest.mark.parametrize(
    ("seen", "put"),
    [(b'"why":"a test"', b'"why":"a trick"'), (b'"a"', b'"../../a"'), (b'"seq":1', b'"seq":7')],
)
def test_a_changed_ledger_is_refused_by_readers_and_writers(
    tmp_path: Path, seen: bytes, put: bytes
) -> None:
    root = tmp_path / "bank"
    made(root, "a", "b")
    ledger = root / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(seen, put, 1))
    changed = ledger.read_bytes()
    with pytest.raises(StoreError):
        read_bank(root)
    with pytest.raises(StoreError), open_bank(root):
        pass
    assert ledger.read_bytes() == changed


def test_places_that_are_no_bank_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(Conflict, match="something else than a bank"), open_bank(tmp_path):
        pass
    with pytest.raises(NotFound, match="is no bank"):
        read_bank(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_a_fork_on_disk_has_the_same_past_and_its_own_future(tmp_path: Path) -> None:
    origin = made(tmp_path / "bank", "a")
    write_fork(origin, tmp_path / "fork")
    with open_bank(tmp_path / "fork") as folder:
        assert folder.bank.events == origin.events
        folder.bank.apply(create("b"))
    assert read_bank(tmp_path / "bank")[0].names == ("a",)
    with pytest.raises(Conflict, match="not empty"):
        write_fork(origin, tmp_path / "fork")


def test_a_file_that_is_no_text_cannot_stand_in_a_bank(tmp_path: Path) -> None:
    made(tmp_path / "bank", "a")
    place = tmp_path / "a"
    shutil.copytree(tmp_path / "bank" / "skills" / "a", place)
    (place / "logo.png").write_bytes(b"\x89PNG\xff")
    with pytest.raises(SkillError, match="a bank holds texts"):
        to_text(read_skill(place)[0])
