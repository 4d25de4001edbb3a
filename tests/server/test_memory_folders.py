"""Folders in memory go when their process has gone, and no other folder does."""

import os
from pathlib import Path

import pytest
from skillweave.server.memory_folders import free_bytes, make_owned, sweep
from skillweave.server.supervision.process import start_time


@pytest.mark.parametrize("kind", ["mixes", "steps"])
def test_only_folders_of_ended_processes_are_swept(tmp_path: Path, kind: str) -> None:
    space = os.stat("/proc/self/ns/pid").st_ino
    own, started = os.getpid(), start_time(os.getpid())
    assert started is not None
    ended = tmp_path / f"skillweave-{kind}-{space}-{own}-{started - 1}-0123abcd"
    link = tmp_path / f"skillweave-{kind}-{space}-{own}-{started - 1}-01234567"
    kept = [
        make_owned(tmp_path, kind, own),
        tmp_path / f"skillweave-{kind}-{space + 1}-{own}-{started - 1}-01234567",  # elsewhere
        tmp_path / f"skillweave-other-{space}-{own}-{started - 1}-01234567",
        tmp_path / f"skillweave-{kind}-mine",
    ]
    for folder in (ended, *kept):
        folder.mkdir(exist_ok=True)
    link.symlink_to(kept[-1])
    (ended / "x").write_text("x")
    assert sweep(kind, tmp_path) == [ended]
    assert sorted(tmp_path.iterdir()) == sorted([*kept, link])
    assert sweep(kind, tmp_path / "none") == []


def test_where_nothing_can_be_written_nothing_is_free(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) > 0
    assert free_bytes(tmp_path / "none") == 0
