"""A demo removes what a demo left, and never anything else."""

from pathlib import Path

import pytest
from skillweave.adapters import UsageError
from skillweave.scripts.demo_folder import MARK, OURS, claim


def filled(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "precious").write_text("mine")
    return folder


def test_a_new_folder_and_an_empty_one_are_taken(tmp_path: Path) -> None:
    for out in (tmp_path / "a" / "b", tmp_path / "a"):
        if out.name == "a":
            (out / "b" / MARK).unlink()
            (out / "b").rmdir()
        claim(out)
        assert [path.name for path in out.iterdir()] == [MARK]


def test_what_an_earlier_demo_left_is_removed(tmp_path: Path) -> None:
    claim(tmp_path)
    filled(tmp_path, "store", "logs")
    (tmp_path / "report.json").write_text("{}")
    claim(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [MARK]


@pytest.mark.parametrize("names", [("store",), ("store", "router", "logs")])
def test_a_folder_that_only_looks_like_a_demo_is_refused(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    out = filled(tmp_path / "home", *names)
    with pytest.raises(UsageError, match=f"no {MARK} in it"):
        claim(out)
    assert sorted(p.name for p in out.iterdir()) == sorted(names)
    assert all((out / name / "precious").read_text() == "mine" for name in names)


def test_a_strangers_file_beside_the_mark_stops_it(tmp_path: Path) -> None:
    claim(tmp_path)
    filled(tmp_path, "store", "thesis")
    with pytest.raises(UsageError, match="holds thesis, which no demo wrote"):
        claim(tmp_path)
    assert (tmp_path / "store" / "precious").exists()


@pytest.mark.parametrize("place", [".", "store", "store/objects"])
def test_the_place_of_the_users_store_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    home = filled(tmp_path / "home", "store")
    monkeypatch.setenv("SKILLWEAVE_HOME", str(home))
    if place == ".":
        (home / MARK).write_text("")  # not even then
    with pytest.raises(UsageError, match="your own store"):
        claim(home / place)
    assert (home / "store" / "precious").exists()


def test_a_store_below_what_would_be_removed_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim(tmp_path)
    monkeypatch.setenv("SKILLWEAVE_HOME", str(filled(tmp_path / "logs", "store")))
    with pytest.raises(UsageError, match="your own store"):
        claim(tmp_path)
    assert (tmp_path / "logs" / "store" / "precious").exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("text")
    with pytest.raises(UsageError, match="is a file"):
        claim(tmp_path / "out")


def test_a_link_is_removed_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    elsewhere = filled(tmp_path, "elsewhere") / "elsewhere"
    out = tmp_path / "out"
    claim(out)
    (out / "store").symlink_to(elsewhere)
    claim(out)
    assert not (out / "store").is_symlink()
    assert (elsewhere / "precious").exists()
    assert MARK in OURS
