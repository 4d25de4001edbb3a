"""The recipes by name, and those that are a file of somebody's own.

To add one: a file beside this one that ends in `RECIPE = Recipe(...)`, a line in `recipe_table`, a
file in `configs/recipes/`.
"""

from .run import Finished, Recipe, RecipeContext, Run, num_lines, run_once, verdict_of


def recipe_table() -> dict[str, Recipe]:
    """Every recipe; imported when it is asked for, because recipes import torch."""
    from . import s2l, skilljuror, skilllens, skillmix, stat

    return {
        "s2l": s2l.RECIPE,
        "skilljuror": skilljuror.RECIPE,
        "skilllens": skilllens.RECIPE,
        "skillmix": skillmix.RECIPE,
        "stat": stat.RECIPE,
    }


__all__ = [
    "Finished",
    "Recipe",
    "RecipeContext",
    "Run",
    "num_lines",
    "recipe_table",
    "run_once",
    "verdict_of",
]
