"""The recipes by name.

To add one: a file beside this one, a line in `recipe_table`, a file in `configs/recipes/`.
"""

from .run import Finished, Recipe, RecipeContext, verdict_of


def recipe_table() -> dict[str, Recipe]:
    """Every recipe; imported when it is asked for, because recipes import torch."""
    from . import s2l

    return {"s2l": Recipe(s2l.S2L, s2l.run)}


__all__ = ["Finished", "Recipe", "RecipeContext", "recipe_table", "verdict_of"]
