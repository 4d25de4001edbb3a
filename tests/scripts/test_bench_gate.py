"""The bench `gate` on a base of one layer, with a stand-in for the engine: rows, not times."""

from dataclasses import dataclass, field
from pathlib import Path

from skillweave.adapters.base.identity import identify_base
from skillweave.scripts.bench import gate
from skillweave.scripts.bench.gate_engine import Engine, make_adapter

from ..small_base import make_small_base


@dataclass
class CountingEngine(Engine):
    """Takes every folder, and notes it."""

    seen: list[Path] = field(default_factory=list)

    def load(self, folder: Path) -> None:
        self.seen.append(folder)


def test_its_rows_stand_on_a_sound_and_a_spoiled_adapter(tmp_path: Path) -> None:
    base_dir = make_small_base(tmp_path / "base")
    base = identify_base(base_dir, cache_dir=tmp_path / "cache")
    sound = make_adapter(base, tmp_path / "adapter")
    spoiled = gate.spoil(sound, tmp_path / "spoiled")
    assert gate.agrees(sound, spoiled, base)
    assert not gate.agrees(spoiled, sound, base)
    assert not gate.agrees(sound, sound, base)
    rows = gate.alone(sound, base_dir, base, tmp_path / "cache", equal=True, scanned_bytes=1 << 20)
    engine = CountingEngine("", "")
    rows += gate.beside_engine(sound, base, engine, equal=True)
    bars = {row.figure: row.bar for row in rows if row.bar is not None}
    assert list(bars.values()) == [gate.BAR_S, gate.BAR_RATIO]
    assert "a list of last names" in next(iter(bars))
    assert sum("header only, " in row.figure for row in rows) == 1 + len(gate.forms(["a"]))
    assert all(row.equal for row in rows)
    assert rows[0].figure.startswith("verify 14 tensors")
    assert set(engine.seen) == {sound}
