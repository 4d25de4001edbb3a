"""The exam of the store: speed with 10 000 adapters, a power cut at every step, 500 `kill -9`.

Criterion, before the run: the bars of `bench/store.py`; no fault in any state left by a power cut,
over every step of every job, with everything kept, all unsynced lost, and `PARTS` random parts
lost; no fault over `KILLS` kills. A fault: `fsck` finds something, something is half done, or
something acknowledged is lost. The small slice is in `tests/adapters/store/test_power.py` and
`test_kills.py`.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ..bench import store as bench
from ..bench.rows import Row
from .report import write_exam
from .store_jobs import JOBS, Material, Tally, enumerate_job
from .store_kills import Killed

PARTS = 6
KILLS = 500
SEED = 0
_SHOWN = 20


def main() -> int:
    """Run all of it and write `results/exams/store.json`; 1 where a bar or a check fails."""
    with tempfile.TemporaryDirectory(prefix="skillweave-exam-") as folder:
        work = Path(folder)
        tally, cuts = power_cuts(work / "cuts")
        killed, kills = killings(work / "kills")
        rows = [*bench.run(), cuts, kills]
    faults = [*tally.faults, *killed["faults"]]
    path = write_exam(
        "store",
        rows,
        power_cuts={"jobs": tally.steps, "states": tally.states},
        kills={**killed, "faults": len(killed["faults"])},
        faults=faults[:_SHOWN],
    )
    for row in rows:
        print(f"{'holds' if row.holds and row.equal else 'FAILS'}  {row.figure}: {row.value:.4g}")
    print(path)
    return 0 if all(row.holds and row.equal for row in rows) else 1


def power_cuts(work: Path) -> tuple[Tally, Row]:
    """Every step of every job."""
    made, tally, start = Material(work / "made"), Tally(), time.perf_counter()
    made.folder.mkdir(parents=True)
    for name in JOBS:
        enumerate_job(name, work / "states", made, tally, parts=PARTS)
        shutil.rmtree(work / "states")
    seconds = time.perf_counter() - start
    return tally, Row(
        "faults after power cuts at every step of every job",
        len(tally.faults),
        tally.states,
        op="==",
        bar=0,
        ours={"jobs": len(JOBS), "steps": sum(tally.steps.values()), "seconds": seconds},
    )


def killings(work: Path, num: int = KILLS, seed: int = SEED) -> tuple[Killed, Row]:
    """`kill -9`, in a process of its own, because that one forks."""
    module = "skillweave.scripts.exams.store_kills"
    done = subprocess.run(
        [sys.executable, "-m", module, str(work), str(num), str(seed)],
        capture_output=True,
        text=True,
        check=True,
    )
    killed: Killed = json.loads(done.stdout)
    return killed, Row(
        "faults over kill -9 of four writers, readers beside them",
        len(killed["faults"]),
        num,
        op="==",
        bar=0,
        ours={"acknowledged": killed["done"], "versions": killed["versions"]},
    )
