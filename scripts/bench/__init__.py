"""`skillweave bench NAME`: side-by-side figures with an equality check beside each.

Owns the table of benches. A bench is a module here with `run() -> list[Row]`. A missing comparator
is an error, never a skipped row. To add one: write the module and add one line to `BENCHES`.
"""

import importlib
from collections.abc import Callable, Mapping

from ...adapters.errors import UsageError
from .rows import Row

BENCHES: Mapping[str, str] = {
    "compose": "compose:run",
    "gate": "gate:run",
    "kernel": "kernel:run",
    "serve": "serve:run",
    "store": "store:run",
    "train": "train:run",
}  # name -> "module:function" below this package


def load(name: str, benches: Mapping[str, str] = BENCHES) -> Callable[[], list[Row]]:
    """The function of a bench; nothing else of the table is imported.

    Raises:
        UsageError: there is no bench of that name.
    """
    if name not in benches:
        known = ", ".join(sorted(benches)) or "none yet"
        raise UsageError(f"{name!r} is not a bench; there are: {known}")
    module, function = benches[name].split(":")
    found: Callable[[], list[Row]] = getattr(
        importlib.import_module(f".{module}", __package__), function
    )
    return found
