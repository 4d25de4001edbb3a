"""`make exam NAME=evaluator`: planted effects of 0, 2 and 10 points, found again by the statistics.

The criterion, written before the run. Over every scenario of `distill/evaluation/planted.py`, each
repeated 500 times for each effect:
- where nothing is planted, arm a is called the winner in at most 5 % of the repeats, in the worst
  scenario;
- the 95 % interval holds the planted effect in at least 93 % of the repeats, in the worst
  scenario (its 1500 repeats over the three effects) and for each effect (over all scenarios);
- power, the share of wins where something was planted, is reported and has no bar.
The plain two-stage bootstrap is counted on the same draws and reported beside it.

Owns the bars. Refuses to own the draws and the statistics. Run from the repository.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from ...distill.evaluation.planted import EFFECTS, SCENARIOS, Scenario, Tally, tally
from ..bench.rows import Row
from .report import write_exam

REPEATS, SEED = 500, 20_260
MAX_FALSE_WINS, MIN_COVERAGE = 0.05, 0.93
OURS, BEFORE = "corrected", "two stages"


def main(repeats: int = REPEATS, folder: Path | None = None) -> int:
    """Run everything and write `results/exams/evaluator.json`; 1 where a bar does not hold."""
    tallies = run(repeats)
    found = rows(tallies)
    place = {} if folder is None else {"folder": folder}
    path = write_exam("evaluator", found, tallies=[asdict(one) for one in tallies], **place)
    for row in found:
        before = "" if row.theirs is None else f"  (before: {json.dumps(row.theirs)})"
        print(f"{'ok  ' if row.holds else 'MISS'} {row.figure}: {row.value:.3f}{before}")
    print(path)
    return 0 if all(row.holds for row in found) else 1


def run(repeats: int, scenarios: Sequence[Scenario] = SCENARIOS) -> list[Tally]:
    """Both methods on every scenario and effect."""
    return [
        one
        for number, scenario in enumerate(scenarios)
        for effect in EFFECTS
        for one in tally(scenario, effect, repeats=repeats, seed=SEED + number)
    ]


def rows(tallies: Sequence[Tally]) -> list[Row]:
    """The figures of the criterion, each with the method that was in use before beside it."""
    ours = [one for one in tallies if one.method == OURS]
    before = [one for one in tallies if one.method == BEFORE]
    null = [one for one in ours if one.effect == 0.0]
    worst = max(null, key=lambda one: one.wins)
    false_before = max(one.wins for one in before if one.effect == 0.0)
    out = [
        Row(
            figure="false wins where nothing is planted, worst scenario (share)",
            value=worst.wins, op="<=", bar=MAX_FALSE_WINS, n=worst.repeats,
            ours={"scenario": worst.scenario}, theirs={"share": false_before},
        ),
        _worst_coverage(ours, before),
    ]  # fmt: skip
    for effect in EFFECTS:
        mine = [one for one in ours if one.effect == effect]
        theirs = [one for one in before if one.effect == effect]
        out.append(_coverage(f"{100 * effect:g} points planted, all scenarios", mine, theirs))
    for effect in EFFECTS[1:]:
        for one, other in zip(ours, before, strict=True):
            if one.effect == effect:
                out.append(Row(
                    figure=f"power at {100 * effect:g} points: {one.scenario} (share of wins)",
                    value=one.wins, n=one.repeats, ours={"width": one.width},
                    theirs={"share": other.wins, "width": other.width},
                ))  # fmt: skip
    return out


def _worst_coverage(ours: Sequence[Tally], before: Sequence[Tally]) -> Row:
    """Least coverage of a scenario, over its effects; the other method has its own worst one."""
    mine, theirs = (min(_by_scenario(side), key=_covered) for side in (ours, before))
    row = _coverage("worst scenario", mine, theirs)
    about = {"scenario": mine[0].scenario}
    return replace(row, ours=about, theirs={**(row.theirs or {}), "scenario": theirs[0].scenario})


def _by_scenario(tallies: Sequence[Tally]) -> list[list[Tally]]:
    names = dict.fromkeys(one.scenario for one in tallies)
    return [[one for one in tallies if one.scenario == name] for name in names]


def _coverage(about: str, ours: Sequence[Tally], before: Sequence[Tally]) -> Row:
    return Row(
        figure=f"coverage of the 95 % interval, {about} (share)",
        value=_covered(ours), op=">=", bar=MIN_COVERAGE, n=sum(one.repeats for one in ours),
        theirs={"share": _covered(before)},
    )  # fmt: skip


def _covered(tallies: Sequence[Tally]) -> float:
    return sum(one.covered for one in tallies) / len(tallies)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    sys.exit(main(parser.parse_args().repeats))
