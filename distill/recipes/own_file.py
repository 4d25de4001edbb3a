"""Recipes outside the tree: a Python file of somebody's own that ends in `RECIPE = Recipe(...)`.

Owns the loading. The file is run: it is the user's own code, named by the user.
"""

import importlib.util
import sys
from pathlib import Path

from ...adapters import UsageError
from .run import Recipe


def load_recipe(path: Path) -> Recipe:
    """The recipe of a file.

    Raises:
        UsageError: no such file, or it does not define `RECIPE`. What the file itself raises is
            its own.
    """
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file; skillweave recipe new NAME writes one")
    spec = importlib.util.spec_from_file_location(f"recipe_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path}: expected a Python file (.py)")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # pydantic and inspect look classes up by module
    spec.loader.exec_module(module)
    recipe = getattr(module, "RECIPE", None)
    if not isinstance(recipe, Recipe):
        raise UsageError(
            f"{path} defines no RECIPE = Recipe(settings, run, ...); skillweave recipe new NAME "
            "writes a file to start from"
        )
    return recipe
