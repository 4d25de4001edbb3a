"""A power cut at every step of a change, with every loss that POSIX allows: a slice of the exam."""

from pathlib import Path

import pytest
from skillweave.scripts.exams import store_jobs as jobs
from skillweave.scripts.exams.store_disk import PowerCutOps, nothing
from skillweave.scripts.exams.store_jobs import JOBS, Material, Tally, Trial, enumerate_job


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tag", "rm, the last"])
def test_a_change_of_names_survives_a_power_cut_at_any_step(
    tmp_path: Path, made: Material, name: str
) -> None:
    tally = Tally()
    enumerate_job(name, tmp_path, made, tally, parts=0)
    assert tally.faults == []
    assert tally.states > 15


@pytest.mark.slow
@pytest.mark.parametrize("name", JOBS)
def test_every_change_survives_a_power_cut(tmp_path: Path, made: Material, name: str) -> None:
    tally = Tally()
    every = 9 if name == "import" else 4  # the exam takes each step
    enumerate_job(name, tmp_path, made, tally, parts=1, every=every)
    assert tally.faults == []


class LazyFolders(PowerCutOps):
    """A disk on which somebody forgot to sync folders."""

    def sync_folder(self, path: Path) -> None:
        return


class LazyFiles(PowerCutOps):
    """A disk on which somebody forgot to sync files."""

    def _make(self, path: Path, data: bytes, mode: int) -> None:
        super()._make(path, data, mode)
        self._inode(path).synced = None


@pytest.mark.parametrize("lazy", [LazyFolders, LazyFiles])
def test_a_forgotten_fsync_is_found(
    tmp_path: Path, made: Material, lazy: type[PowerCutOps]
) -> None:
    """The enumeration must be able to fail."""
    tally = Tally()
    trial = Trial(JOBS["tag"], tmp_path, made, "", tally, disk=lazy)
    trial.prepare()
    trial.run(at=0, keeps=[nothing])
    assert tally.faults


def test_the_disk_loses_exactly_what_was_not_synced(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    (top / "old").write_bytes(b"old")
    ops = PowerCutOps(top)
    ops.make_folder(top / "folder")
    ops.write(top / "folder" / "named", [b"bytes"])
    ops.sync_folder(top / "folder")
    ops.write(top / "new", [b"new"])
    ops.unlink(top / "old")
    ops.materialise(tmp_path / "worst", nothing)
    ops.materialise(tmp_path / "best", jobs.everything)
    assert [path.name for path in (tmp_path / "worst").rglob("*")] == ["old"]
    best = {str(p.relative_to(tmp_path / "best")) for p in (tmp_path / "best").rglob("*")}
    assert best == {"folder", "folder/named", "new"}
    ops.sync_folder(top)
    ops.materialise(tmp_path / "synced", nothing)
    assert (tmp_path / "synced" / "folder" / "named").read_bytes() == b"bytes"
    assert not (tmp_path / "synced" / "old").exists()
