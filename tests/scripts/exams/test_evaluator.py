"""The exam of the evaluator: bars held against counts that are known."""

import json
from pathlib import Path

import pytest
from skillweave.distill.evaluation.planted import EFFECTS, Scenario, Tally
from skillweave.scripts.exams import evaluator


def counted(
    scenario: str, effect: float, method: str, *, covered: float, wins: float = 0.02
) -> Tally:
    return Tally(scenario, effect, method, 500, covered, wins, 0.0, 0.1)


def a_run(*, covered: float = 0.95, wins: float = 0.02) -> list[Tally]:
    return [
        counted(name, effect, method, covered=share, wins=wins if effect == 0 else 0.8)
        for name, own in (("easy", 0.96), ("hard", covered))
        for effect in EFFECTS
        for method, share in ((evaluator.OURS, own), (evaluator.BEFORE, 0.80))
    ]


def test_a_run_that_covers_and_wins_nothing_meets_every_bar() -> None:
    rows = evaluator.rows(a_run())
    assert all(row.holds for row in rows)
    worst = next(row for row in rows if "worst scenario" in row.figure and "coverage" in row.figure)
    assert (worst.value, worst.n, worst.ours) == (pytest.approx(0.95), 1500, {"scenario": "hard"})
    assert worst.theirs is not None
    assert worst.theirs["share"] == pytest.approx(0.80)
    assert sum(row.figure.startswith("power") for row in rows) == 4


def test_one_bad_scenario_misses_the_bar_although_the_mean_holds() -> None:
    missed = [row.figure for row in evaluator.rows(a_run(covered=0.92)) if not row.holds]
    assert missed == ["coverage of the 95 % interval, worst scenario (share)"]
    missed = [row.figure for row in evaluator.rows(a_run(wins=0.06)) if not row.holds]
    assert missed == ["false wins where nothing is planted, worst scenario (share)"]


def test_the_file_holds_every_row(tmp_path: Path) -> None:
    small = (Scenario("small", (8,) * 5, 0.0),)
    found = evaluator.rows(evaluator.run(3, small))
    evaluator.write_exam("evaluator", found, folder=tmp_path)
    kept = json.loads((tmp_path / "evaluator.json").read_text())
    assert len(kept["rows"]) == 1 + 1 + 3 + 2
