"""The exam of a recipe: three seeds on every world that it declares, into `results/`.

Owns the seeds, and that results are replaced only when all seeds of a world have run. Answers of
earlier runs are not reused, so that times are those of the recipe. Any recipe with a file in
`configs/recipes/` has this exam: `make exam NAME=s2l`.
"""

import tempfile
from pathlib import Path

from ...distill.recipes import recipe_table
from .. import make_results
from ..commands.recipe import run_recipe

SEEDS = (0, 1, 2)


def results_name(name: str, world: str) -> str:
    """The file of a recipe's verdicts: its own world's carries no world in its name."""
    return f"{name}.json" if world == recipe_table()[name].worlds[0] else f"{name}.{world}.json"


def main(name: str) -> int:
    """Run every world and seed, then generate docs/results.md anew."""
    root = Path(make_results.ROOT)
    for world in recipe_table()[name].worlds:
        with tempfile.TemporaryDirectory(dir=root / "results", prefix=".exam-") as folder:
            verdicts = Path(folder) / "verdicts.json"
            for seed in SEEDS:
                run_recipe(
                    name,
                    seed=seed,
                    config=root / "configs" / "recipes" / f"{name}.toml",
                    out=verdicts,
                    world=world,
                    reuse=False,
                )
            verdicts.replace(root / "results" / results_name(name, world))
    return make_results.generate()
