"""Walking a stranger's folder: only plain files count, nothing is followed."""

import os
from pathlib import Path

from skillweave.adapters.digests import FileDigest, sha256_hex
from skillweave.adapters.folders import folder_digests, list_folder
from skillweave.adapters.limits import Limits


def test_plain_files_are_listed_by_relative_name(tmp_path: Path) -> None:
    (tmp_path / "b" / "c").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    (tmp_path / "b" / "c" / "x").write_bytes(b"1")
    (tmp_path / "a").write_bytes(b"2")
    (tmp_path / "a").chmod(0o755)
    listing = list_folder(tmp_path)
    assert listing.files == ("a", "b/c/x")
    assert listing.problems == ()
    assert folder_digests(tmp_path, listing.files) == {
        "a": FileDigest(sha256_hex(b"2"), executable=True),
        "b/c/x": FileDigest(sha256_hex(b"1")),
    }


def test_links_pipes_and_unreadable_names_are_problems(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "up").symlink_to("..")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))).write_bytes(b"")
    listing = list_folder(tmp_path)
    assert listing.files == ()
    assert sorted(p.code for p in listing.problems) == [
        "bad_file_name",
        "special_file",
        "symlink",
        "symlink",
    ]


def test_the_folder_itself_may_be_reached_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").write_bytes(b"")
    (tmp_path / "link").symlink_to("real")
    assert list_folder(tmp_path / "link").files == ("a",)


def test_a_flood_stops_the_walk(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "a").write_bytes(b"")
    listing = list_folder(tmp_path, Limits(files=5))
    assert [p.code for p in listing.problems] == ["too_many_files"]
    assert len(listing.files) < 20
