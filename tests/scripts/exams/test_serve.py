"""The exam of the server: its document, its slope, its adapters, a slice of its kills."""

import json
from pathlib import Path

import pytest
from skillweave.adapters.errors import EngineError
from skillweave.distill.tiny_base import tiny_base_path
from skillweave.scripts.bench.rows import Row
from skillweave.scripts.exams.serve import Kept, run_part
from skillweave.scripts.exams.serve_disk import environment, full
from skillweave.scripts.exams.serve_ground import serving
from skillweave.scripts.exams.serve_kills import engine_rows, gateway_rows
from skillweave.scripts.exams.serve_marked import MARGIN, Workshop, prompts
from skillweave.scripts.exams.serve_soak import slope_of


def test_a_part_that_is_run_again_replaces_its_rows_only(tmp_path: Path) -> None:
    first = Kept({}, {}).replaced("purity", [Row("a", 1.0, 1)], seconds=1.0)
    both = first.replaced("keys", [Row("b", 2.0, 1), Row("c", 3.0, 1, "<=", 5.0)], seconds=1.0)
    rows = [row.document() for row in both.in_order()]
    (tmp_path / "serve.json").write_text(json.dumps({"rows": rows, "parts": both.facts}))
    read = Kept.read(tmp_path / "serve.json")
    assert read.in_order() == both.in_order()
    again = read.replaced("purity", [Row("d", 4.0, 1)], seconds=1.0)
    assert [row.figure for row in again.in_order()] == ["d", "b", "c"]


def test_a_part_that_cannot_run_is_a_row_that_fails_and_says_why() -> None:
    def part(home: Path) -> list[Row]:
        raise EngineError(f"no engine in {home.name[:10]}")

    (row,) = run_part("soak", part)
    assert not row.holds
    assert row.ours is not None
    assert "no engine" in str(row.ours["why"])


def test_the_slope_of_a_line_is_its_own_and_noise_is_flat() -> None:
    line = slope_of([(60.0 * n, 1_000_000 * (100 + 3 * n)) for n in range(40)])
    assert line.value == pytest.approx(3.0)
    assert line.half == pytest.approx(0.0, abs=1e-6)
    noise = slope_of([(60.0 * n, 1_000_000 * (100 + (-1) ** n)) for n in range(40)])
    assert abs(noise.value) < noise.half
    steps = slope_of([(60.0 * n, 1_000_000 * (100 + (n // 10 % 2))) for n in range(40)])
    assert steps.half > noise.half


def test_a_full_folder_takes_no_byte_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []

    def write(file: int, data: bytes) -> int:
        if sum(written) + len(data) > 3 << 20:
            raise OSError(28, "No space left on device")
        written.append(len(data))
        return len(data)

    monkeypatch.setattr("os.write", write)
    with full(tmp_path):
        assert sum(written) == 3 << 20
    assert list(tmp_path.iterdir()) == []


def test_the_environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("SKILLWEAVE_A", "before")
    monkeypatch.delenv("SKILLWEAVE_B", raising=False)
    with environment({"SKILLWEAVE_A": "x", "SKILLWEAVE_B": "y"}):
        assert (os.environ["SKILLWEAVE_A"], os.environ["SKILLWEAVE_B"]) == ("x", "y")
    assert os.environ["SKILLWEAVE_A"] == "before"
    assert "SKILLWEAVE_B" not in os.environ


@pytest.mark.slow
def test_constructed_adapters_differ_and_a_stale_cache_shows() -> None:
    workshop = Workshop(tiny_base_path(), prompts(1))
    made = workshop.make(3)
    proof = workshop.prove(made)
    assert proof.distinct
    assert proof.margin > MARGIN
    assert proof.seen == proof.tried == 3


@pytest.mark.slow
def test_killed_processes_come_back_and_nobody_is_told_anything_wrong(tmp_path: Path) -> None:
    with serving(tmp_path, adapters=2, engine_args=("--token-delay", "0.01")) as ground:
        rows = [
            *engine_rows(ground, "fake", kills=1, clients=2, steady_s=0.0),
            *gateway_rows(ground, "fake", kills=1, clients=2),
        ]
    assert [(row.figure, row.ours) for row in rows if not row.holds] == []
    assert len(rows) == 11
