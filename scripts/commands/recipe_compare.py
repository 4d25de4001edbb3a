"""`skillweave recipe compare A B mine.py`: recipes on the same tasks, seeds and budget."""

import json as json_module
from collections.abc import Sequence
from pathlib import Path

from ...adapters import Conflict, UsageError
from ...distill.evaluation import (
    arms_csv,
    arms_markdown,
    arms_tex,
    comparisons_csv,
    comparisons_markdown,
    comparisons_tex,
)
from ...distill.evaluation.plots import arms_svg, comparisons_svg
from ...distill.recipes import Run
from ...distill.recipes.comparing import Contest, Figures, contest, method_of
from .recipe_running import Conditions, find_recipe, run_seed


def compare(
    names: Sequence[str], *, num_seeds: int, conditions: Conditions, out: Path | None = None
) -> Contest:
    """Run every recipe on every seed, then compare their methods' arms pair by pair.

    Args:
        out: a folder for verdict, items, tables and pictures; made if missing.

    Raises:
        UsageError: fewer than two recipes, one twice, or one that names no arm of its own.
        Conflict: the folder holds something.
    """
    found = [find_recipe(name) for name in names]
    if len({one.name for one in found}) < max(2, len(found)):
        raise UsageError(f"recipes {', '.join(names)}: expected at least two, each of them once")
    methods = {one.name: method_of(one.name, one.recipe) for one in found}
    if out is not None:
        if out.exists() and any(out.iterdir()):
            raise Conflict(f"{out} is not empty: a comparison never overwrites; name a new folder")
        out.mkdir(parents=True, exist_ok=True)
    runs: dict[str, dict[int, Run]] = {one.name: {} for one in found}
    for seed in range(num_seeds):  # seed by seed, so that arms asked by one serve the next
        for one in found:
            log = None if out is None else out / f"items.{one.name}.{seed}.jsonl"
            runs[one.name][seed] = run_seed(one, seed, conditions, log_file=log)
    world = conditions.world or found[0].recipe.worlds[0]
    budget = {str(kind): limit for kind, limit in conditions.budget.limits.items()}
    result, figures = contest(runs, methods=methods, world=world, budget=budget)
    if out is not None:
        _write(out, result, figures)
    return result


def table(result: Contest) -> str:
    """What a terminal shows."""
    allowed = ", ".join(f"{kind}={limit}" for kind, limit in result.budget.items()) or "no limit"
    seeds = f"{len(result.seeds)} seed{'s' if len(result.seeds) > 1 else ''}"
    lines = [f"world {result.world}, {seeds}, budget a seed: {allowed}"]
    for name, mean in result.means.items():
        spent = ", ".join(f"{amount} {kind}" for kind, amount in result.spent[name].items())
        lines.append(f"  {name:20} {mean:.3f}  (arm {result.arms[name]}; spent {spent})")
    for pair in result.pairs:
        said = f"{pair.winner} wins" if pair.winner else "no win shown"
        lines.append(
            f"  {pair.a} minus {pair.b}: {pair.diff:+.3f} [{pair.ci[0]:+.3f}, {pair.ci[1]:+.3f}], "
            f"p {pair.p_holm:.3f} corrected: {said}"
        )
    return "\n".join([*lines, *(f"  {note}" for note in result.notes)])


def _write(out: Path, result: Contest, figures: Sequence[Figures]) -> None:
    """The verdict, and for every seed tables and pictures."""
    text = json_module.dumps(result.model_dump(mode="json"), indent=1, ensure_ascii=False)
    (out / "contest.json").write_text(text + "\n", encoding="utf-8")
    for one in figures:
        parts = {
            "arms.md": arms_markdown(one.arms),
            "arms.csv": arms_csv(one.arms),
            "arms.tex": arms_tex(one.arms),
            "arms.svg": arms_svg(one.arms),
            "pairs.md": comparisons_markdown(one.comparisons),
            "pairs.csv": comparisons_csv(one.comparisons),
            "pairs.tex": comparisons_tex(one.comparisons),
            "pairs.svg": comparisons_svg(one.comparisons),
        }
        for name, content in parts.items():
            stem, _, suffix = name.partition(".")
            (out / f"{stem}.seed{one.seed}.{suffix}").write_text(content, encoding="utf-8")
