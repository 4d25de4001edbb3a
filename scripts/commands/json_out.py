"""JSON for programs, as every verb prints it: indented, and never with NaN or infinity in it."""

import json

from ...adapters import AdapterRefused
from ...adapters.errors import Problem


def print_json(document: object) -> None:
    """Print a document.

    Raises:
        AdapterRefused: it holds NaN or infinity, which JSON has not; nothing was printed.
    """
    try:
        text = json.dumps(document, indent=1, allow_nan=False)
    except ValueError as err:
        remedy = "`skillweave verify` shows which adapter is spoiled"
        problem = Problem("not_finite", "a figure is NaN or infinite, which JSON has not", remedy)
        raise AdapterRefused([problem], "the answer") from err
    print(text)
