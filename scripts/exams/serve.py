"""The exam of the server room: purity, thrash, faults, soak, keys, and lm-eval as a client.

    make exam NAME=serve                                              all parts, about an hour
    python -m skillweave.scripts.exams.serve --part purity [...]      only these

Each part has its criterion in its own module, written before the run. Writes
`results/exams/serve.json`; a part that is run alone replaces its own rows there and leaves the
others, and each part notes revision and date of its run. To add one: a line in `PARTS`.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import torch
from pydantic import TypeAdapter

from ...adapters.errors import SkillweaveError
from ..bench.rows import Row
from . import (
    serve_faults,
    serve_keys,
    serve_lm_eval,
    serve_purity,
    serve_soak,
    serve_thrash,
)
from .report import ROOT, revision, write_exam

NAME = "serve"
Part = Callable[[Path], list[Row]]
PARTS: Mapping[str, Part] = {
    "purity": serve_purity.rows,
    "thrash": lambda _: serve_thrash.rows(),
    "faults": serve_faults.rows,
    "keys": serve_keys.key_rows,
    "lm-eval": serve_lm_eval.rows,
    "soak": serve_soak.rows,
}


def main(arguments: Sequence[str] = (), *, folder: Path = ROOT / "results" / "exams") -> int:
    """Run the parts, write the document after each; 1 where a bar or a check fails."""
    parser = argparse.ArgumentParser(prog="exam serve")
    parser.add_argument("--part", action="append", choices=sorted(PARTS), help="only this one")
    wanted = parser.parse_args(list(arguments)).part or list(PARTS)
    torch.set_num_threads(1)
    kept = Kept.read(folder / f"{NAME}.json") if len(wanted) < len(PARTS) else Kept({}, {})
    for name in wanted:
        start = time.monotonic()
        rows = run_part(name, PARTS[name])
        for row in rows:
            print(f"{'ok ' if row.holds and row.equal else 'NO '} {row.figure}: {row.value:.4g}")
        kept = kept.replaced(name, rows, seconds=time.monotonic() - start)
        path = write_exam(NAME, kept.in_order(), folder=folder, parts=kept.facts)
        print(path, flush=True)
    return 0 if all(row.holds and row.equal for row in kept.in_order()) else 1


def run_part(name: str, part: Part) -> list[Row]:
    """The rows of one part; where it cannot run, a row that fails and says why."""
    with tempfile.TemporaryDirectory(prefix=f"skillweave-exam-{name}-") as home:
        try:
            return part(Path(home))
        except SkillweaveError as err:
            why: dict[str, object] = {"why": str(err)[:1000]}
            return [Row(f"{name}: ran to its end", 0.0, 0, "==", 1.0, ours=why)]


class Kept:
    """Rows by part, and when each part ran."""

    def __init__(self, rows: Mapping[str, Sequence[Row]], facts: Mapping[str, object]) -> None:
        self._rows = dict(rows)
        self.facts = dict(facts)

    @classmethod
    def read(cls, path: Path) -> "Kept":
        """What an earlier run wrote; nothing where there was none."""
        if not path.is_file():
            return cls({}, {})
        document = json.loads(path.read_text(encoding="utf-8"))
        every = [_row_of(row) for row in document["rows"]]
        facts, rows = document.get("parts", {}), dict[str, list[Row]]()
        for name, fact in facts.items():
            rows[name], every = every[: fact["rows"]], every[fact["rows"] :]
        return cls(rows, facts)

    def replaced(self, name: str, rows: Sequence[Row], *, seconds: float) -> "Kept":
        """With the rows of one part anew."""
        fact = {
            "rows": len(rows),
            "revision": revision(),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(seconds, 1),
        }
        facts = {**self.facts, name: fact}
        in_order = {part: facts[part] for part in PARTS if part in facts}
        return Kept({**self._rows, name: rows}, in_order)

    def in_order(self) -> list[Row]:
        """All rows, part by part."""
        return [row for name in self.facts for row in self._rows[name]]


_ROW = TypeAdapter(Row)


def _row_of(document: Mapping[str, object]) -> Row:
    return _ROW.validate_python({name: of for name, of in document.items() if name != "holds"})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
