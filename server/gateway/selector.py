"""Loading what answers `auto`: a saved router, read once at the start of the gateway.

Owns the one edge from the gateway to the router's files. Refuses to own any routing rule.
"""

import importlib
from pathlib import Path

from ...adapters.errors import UsageError
from ...router.types import Selector

ROUTER_MODULE = "skillweave.router.router"


def load_selector(path: Path | None) -> Selector | None:
    """The saved router at `path`; None for None.

    Raises:
        UsageError: there is no such file, or it holds no router.
    """
    if path is None:
        return None
    if not path.exists():
        raise UsageError(f"router {path} does not exist: expected a router saved by skillweave")
    loaded = importlib.import_module(ROUTER_MODULE).Router.load(path)
    if not isinstance(loaded, Selector):
        raise UsageError(f"router {path} holds a {type(loaded).__name__}, which cannot route")
    return loaded
