"""Generates docs/results.md from results/*.json; `--check` fails when it is not up to date.

A result that names another base than the shipped one is an error: it would speak of a base that
nobody can get.
"""

import argparse
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path

from ..adapters import identify_base
from ..distill.evaluation import RecipeVerdict, comparisons_over_seeds, read_verdicts
from ..distill.recipes import num_lines, recipe_table
from ..distill.tiny_base import tiny_base_path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "results.md"
HEAD = """# Results

Generated from `results/` by `python -m skillweave.scripts.make_results`; do not edit. One row is
one recipe on one seed, on the shipped base. A status speaks of the scope beside it, by a criterion
that was written before the run; nulls stay. Intervals are 95 %, clustered by skill.

| recipe | seed | status | scope | arms | clauses | wall |
|---|---|---|---|---|---|---|
"""
SEEDS = """
## Over seeds

The mean of the seeds and its 95 % interval over them (Student's t): a seed counts once. With three
seeds an interval is four standard errors to each side.

| recipe | comparison | mean | interval over seeds | seeds |
|---|---|---|---|---|
"""


LENGTHS = """
## Lengths

Lines of each recipe's file, all of them: docstring, criterion and declared controls included.

| recipe | lines |
|---|---|
"""


def stray_bases(verdicts: dict[str, tuple[RecipeVerdict, ...]], shipped: str) -> list[str]:
    """Results that were made on another base, as sentences."""
    return [
        f"{name}: seed {v.seeds.get('run')} was run on base {v.base[:12]}, the shipped one is "
        f"{shipped[:12]}; run it again"
        for name, rows in verdicts.items()
        for v in rows
        if v.base != shipped
    ]


def page(verdicts: dict[str, tuple[RecipeVerdict, ...]]) -> str:
    """The text of docs/results.md."""
    rows = [_row(name, verdict) for name, found in verdicts.items() for verdict in found]
    several = [_over_seeds(name, found) for name, found in verdicts.items() if len(found) > 1]
    seeds = SEEDS + "\n".join(line for lines in several for line in lines) + "\n"
    return HEAD + "\n".join(rows) + ("\n" if rows else "") + (seeds if several else "")


def lengths(lines: Mapping[str, int]) -> str:
    """The section on how long the recipes are, and their median."""
    rows = [f"| {name} | {num} |" for name, num in sorted(lines.items())]
    return (
        LENGTHS + "\n".join([*rows, f"| median | {statistics.median(lines.values()):g} |"]) + "\n"
    )


def _over_seeds(name: str, verdicts: tuple[RecipeVerdict, ...]) -> list[str]:
    """One line for each comparison that every seed of a recipe has."""
    return [
        f"| {name} | {a} minus {b} | {seen.mean:+.3f} | {_ends(seen.ci)} | {seen.num_seeds} |"
        for (a, b), seen in comparisons_over_seeds(verdicts).items()
    ]


def _ends(ci: tuple[float, float] | None) -> str:
    return "none" if ci is None else f"{ci[0]:+.3f} to {ci[1]:+.3f}"


def _row(name: str, verdict: RecipeVerdict) -> str:
    arms = "<br>".join(
        f"{arm} {figure.mean:.3f} [{figure.ci[0]:.3f}, {figure.ci[1]:.3f}]"
        for arm, figure in verdict.arms.items()
    )
    checked = (*verdict.criterion.preconditions, *verdict.criterion.clauses)
    clauses = "<br>".join(
        f"{'met' if c.holds else '**missed**'}: {c.clause} (" + seen_words(c.seen, c.ci) + ")"
        for c in checked
    )
    clauses += "".join(f"<br>{note}" for note in verdict.notes)
    return (
        f"| [{name}](../results/{name}.json) | {verdict.seeds.get('run')} | {verdict.status} | "
        f"{verdict.scope} | {arms} | {clauses} | {verdict.wall_s:.0f} s |"
    )


def seen_words(seen: float | None, ci: tuple[float, float] | None) -> str:
    """A figure with its interval, for people."""
    if seen is None:
        return "not measured"
    return f"{seen:+.3f}" if ci is None else f"{seen:+.3f} [{ci[0]:+.3f}, {ci[1]:+.3f}]"


def load() -> dict[str, tuple[RecipeVerdict, ...]]:
    """Every committed result by name."""
    return {path.stem: read_verdicts(path) for path in sorted((ROOT / "results").glob("*.json"))}


def generate(*, check: bool = False) -> int:
    """Write the page, or with `check` only compare it; 1 when something is wrong."""
    verdicts = load()
    problems = stray_bases(verdicts, identify_base(tiny_base_path()).family_digest)
    text = page(verdicts) + lengths({n: num_lines(r) for n, r in recipe_table().items()})
    if not check:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        problems.append(f"{PAGE} is stale: run python -m skillweave.scripts.make_results")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 if stale")
    sys.exit(generate(check=parser.parse_args().check))
