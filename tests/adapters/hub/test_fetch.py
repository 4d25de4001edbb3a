"""One large file into one cache: taken up where it was, by one at a time, and right in the end."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from skillweave.adapters.errors import HubError
from skillweave.adapters.hub.client_fetch import fetch_blob, link_in
from skillweave.adapters.hub.resume import Part

CONTENT = bytes(range(256)) * 40
SHA = hashlib.sha256(CONTENT).hexdigest()


class Wire:
    """Sends a content from where it is asked, in pieces; notes from where."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.asked: list[int] = []

    @contextmanager
    def __call__(self, start: int) -> Iterator[Part]:
        self.asked.append(start)
        rest = self.content[start:]
        yield Part(False, [rest[at : at + 100] for at in range(0, len(rest), 100)])


def fetch(blob: Path, wire: Wire) -> None:
    fetch_blob(blob, size=len(CONTENT), part=wire, broken=(ConnectionError,))


def test_of_many_who_fetch_one_file_one_does(tmp_path: Path) -> None:
    blob, wire = tmp_path / "blobs" / SHA, Wire()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: fetch(blob, wire), range(8)))
    assert wire.asked == [0]
    assert blob.read_bytes() == CONTENT
    assert [p.name for p in blob.parent.iterdir()] == [SHA]


def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    blob, wire = tmp_path / SHA, Wire()
    (tmp_path / f"{SHA}.skillweave.incomplete").write_bytes(CONTENT[:5_000])
    fetch(blob, wire)
    assert (wire.asked, blob.read_bytes()) == ([5_000], CONTENT)


def test_what_was_left_and_is_wrong_is_fetched_again(tmp_path: Path) -> None:
    blob, wire = tmp_path / SHA, Wire()
    (tmp_path / f"{SHA}.skillweave.incomplete").write_bytes(b"?" * 5_000)
    fetch(blob, wire)
    assert (wire.asked, blob.read_bytes()) == ([5_000, 0], CONTENT)


def test_a_hub_that_sends_another_file_is_given_up(tmp_path: Path) -> None:
    blob, wire = tmp_path / SHA, Wire(b"x" * len(CONTENT))
    with pytest.raises(HubError, match=f"listed is {SHA}; repeat"):
        fetch(blob, wire)
    assert wire.asked == [0, 0]
    assert not blob.exists()
    fetch(blob, Wire())  # nothing wrong was kept
    assert blob.read_bytes() == CONTENT


def test_a_name_by_git_is_held_against_git(tmp_path: Path) -> None:
    oid = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()
    fetch(tmp_path / oid, Wire())
    assert (tmp_path / oid).read_bytes() == CONTENT
    with pytest.raises(HubError, match="listed is 0000"):
        fetch(tmp_path / ("0" * 40), Wire())


def test_more_than_is_listed_is_never_taken_in(tmp_path: Path) -> None:
    endless = Wire(CONTENT * 100)
    with pytest.raises(HubError, match=f"more than the {len(CONTENT)} bytes"):
        fetch(tmp_path / SHA, endless)
    assert sum(p.stat().st_size for p in tmp_path.iterdir()) < len(CONTENT) + 200


def test_a_place_in_the_snapshot_stays(tmp_path: Path) -> None:
    for content in ("first", "second"):
        blob = tmp_path / "blobs" / content
        blob.parent.mkdir(exist_ok=True)
        blob.write_text(content)
        link_in(tmp_path / "snapshots" / "c", "skill/a.txt", blob)
    assert (tmp_path / "snapshots" / "c" / "skill" / "a.txt").read_text() == "first"
