"""The folder of sums: where it is made."""

from pathlib import Path

from skillweave.server.gateway.sums.mix_folder import MixFolder


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
