"""The folder of sums: where it is made, and that killed gateways leave nothing for ever."""

import os
from pathlib import Path

from skillweave.server.gateway.mix_folder import MixFolder, sweep
from skillweave.server.process import start_time


def test_in_memory_where_there_is_room_else_in_the_run_s_folder(tmp_path: Path) -> None:
    memory, run = tmp_path / "memory", tmp_path / "run"
    memory.mkdir()
    run.mkdir()
    there = MixFolder(run, memory=memory)
    assert there.path.parent == memory
    assert there.path.stat().st_mode & 0o777 == 0o700
    assert there.max_bytes > 0
    here = MixFolder(run, memory=tmp_path / "none")
    assert here.path.parent == run
    for folder in (there, here):
        folder.close()
        assert not folder.path.exists()


def test_only_folders_of_ended_processes_are_swept(tmp_path: Path) -> None:
    space = os.stat("/proc/self/ns/pid").st_ino
    own, started = os.getpid(), start_time(os.getpid())
    assert started is not None
    ended = tmp_path / f"skillweave-mixes-{space}-{own}-{started - 1}-aa"
    kept = [
        tmp_path / f"skillweave-mixes-{space}-{own}-{started}-bb",
        tmp_path / f"skillweave-mixes-{space + 1}-{own}-{started - 1}-cc",  # another container's
        tmp_path / "somebody-else",
    ]
    for folder in (ended, *kept):
        folder.mkdir()
    (ended / "x").write_text("x")
    sweep(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(kept)
    sweep(tmp_path / "none")
