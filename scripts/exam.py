"""`make exam NAME=...`: the full figures behind a claim, one exam per part of the project.

Owns the table of exams. An exam is a function that writes its figures with the code revision and
returns an exit code. A recipe with a file in `configs/recipes/` is an exam by its name and writes
`results/NAME.json`; any other writes `results/exams/NAME.json`. Its small fixed-seed slice lives in
`tests/`. To add one: write the function in the module of its part and add one line to `EXAMS`.
"""

import functools
import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

EXAMS: Mapping[str, str] = {  # name -> "module:function" below scripts/
    "evaluator": "exams.evaluator:main",
    "gate": "exams.gate:main",
    "hub": "exams.hub:main",
    "page": "exams.page:main",
    "serve": "exams.serve:main",
    "store": "exams.store:main",
    "worlds": "exams.worlds:main",
}


RECIPES = Path(__file__).parent.parent / "configs" / "recipes"
RECIPE = "exams.recipe:main"


def table() -> dict[str, str]:
    """Every exam by its name, recipes among them."""
    return {**EXAMS, **{path.stem: RECIPE for path in RECIPES.glob("*.toml")}}


def main(arguments: list[str], exams: Mapping[str, str] | None = None) -> int:
    """Run the named exam; 2 where there is none of that name."""
    exams = table() if exams is None else exams
    known = ", ".join(sorted(exams)) or "none yet"
    if len(arguments) != 1 or arguments[0] not in exams:
        seen = " ".join(arguments) or "no name"
        print(f"exam: {seen!r} is not an exam; there are: {known}.", file=sys.stderr)
        return 2
    return load(arguments[0], exams)()


def load(name: str, exams: Mapping[str, str]) -> Callable[[], int]:
    """Import the function of an exam; nothing else of the table is imported."""
    module, function = exams[name].split(":")
    found: Callable[..., int] = getattr(
        importlib.import_module(f".{module}", __package__), function
    )
    return functools.partial(found, name) if exams[name] == RECIPE else found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
