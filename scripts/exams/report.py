"""Where an exam writes its figures: `results/exams/NAME.json`, with revision, date and machine.

Owns the document. Refuses to own figures and bars (each exam's module) and their rows
(`bench/rows.py`).
"""

import json
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil

from ..bench.rows import Row

ROOT = Path(__file__).resolve().parents[2]


def write_exam(
    name: str, rows: Sequence[Row], *, folder: Path = ROOT / "results" / "exams", **extra: object
) -> Path:
    """Write the figures of one exam.

    Args:
        name: of the exam, as in `scripts/exam.py`.
        rows: the figures with their bars; the criterion was in the code before the run.
        folder: where; a test gives another place.
        extra: further JSON, such as counts behind a figure; never one of the document's own keys.
    Returns:
        The file: {"exam", "revision", "date", "machine", "holds", "rows", ...extra}.
    Raises:
        ValueError: NaN in a figure, or an extra key that the document has already.
    """
    document: dict[str, object] = {
        "exam": name,
        "revision": revision(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "holds": all(row.holds and row.equal for row in rows),
        "rows": [row.document() for row in rows],
    }
    taken = document.keys() & extra.keys()
    if taken:
        raise ValueError(f"extra key {sorted(taken)} is one of the document's own: rename it")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    text = json.dumps(document | extra, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def revision(root: Path = ROOT) -> str:
    """The git revision of the code, with `+changes` where the tree differs from it."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", ":!results", ":!docs/results.md")
        return git("rev-parse", "--short=12", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine() -> dict[str, object]:
    """What the figures were taken on: processor, cores, memory, system, Python."""
    return {
        "cpu": platform.machine(),
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
    }
