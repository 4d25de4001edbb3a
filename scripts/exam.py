"""`make exam NAME=...`: the full figures behind a claim, one exam per part of the project.

Owns the table of exams. An exam is a function that writes its figures with the code revision and
returns an exit code: that of a recipe appends verdicts to `results/NAME.json`, any other writes
`results/exams/NAME.json`. Its small fixed-seed slice lives in `tests/`.
To add one: write the function in the module of its part and add one line to `EXAMS`.
"""

import importlib
import sys
from collections.abc import Callable, Mapping

EXAMS: Mapping[str, str] = {  # name -> "module:function" below scripts/
    "evaluator": "exams.evaluator:main",
    "gate": "exams.gate:main",
    "hub": "exams.hub:main",
    "page": "exams.page:main",
    "s2l": "exams.s2l:main",
    "serve": "exams.serve:main",
    "store": "exams.store:main",
}


def main(arguments: list[str], exams: Mapping[str, str] = EXAMS) -> int:
    """Run the named exam; 2 where there is none of that name."""
    known = ", ".join(sorted(exams)) or "none yet"
    if len(arguments) != 1 or arguments[0] not in exams:
        seen = " ".join(arguments) or "no name"
        print(f"exam: {seen!r} is not an exam; there are: {known}.", file=sys.stderr)
        return 2
    return load(arguments[0], exams)()


def load(name: str, exams: Mapping[str, str]) -> Callable[[], int]:
    """Import the function of an exam; nothing else of the table is imported."""
    module, function = exams[name].split(":")
    found: Callable[[], int] = getattr(importlib.import_module(f".{module}", __package__), function)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
