"""One adapter as the gateway sees it, and what it must be to be loaded.

Owns these two values. Refuses to own the table of all of them (`residency.py`).
"""

import asyncio
import time
from dataclasses import dataclass, field

from ....adapters.gate.policy import GatePolicy
from ...engines.client import EngineClient
from .servable import Servable


@dataclass(eq=False)
class Resident:
    """One adapter and where it is.

    `in_use` counts running requests; `declared` says that it came in and is to stay, `retired` that
    it leaves with its last request; `last_used` is of the monotonic clock; `left` is set when every
    engine has let go of it.
    """

    what: Servable
    in_use: int = 0
    declared: bool = False
    retired: bool = False
    engines: set[EngineClient] = field(default_factory=set)
    loading: "asyncio.Task[None] | None" = None
    last_used: float = field(default_factory=time.monotonic)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def loaded(self) -> bool:
        """Whether an engine has it."""
        return bool(self.engines)


def engine_door(max_rank: int | None) -> GatePolicy:
    """What is asked of a stored version before an engine opens it.

    Values were scanned when it was stored, and its base family is that of the store's folder; a
    rank above the engine's cap is stored and listed, but not servable here.

    Args:
        max_rank: the engines' rank cap; None where it is not known.
    """
    return GatePolicy(values="header", accept_base=True, max_rank=max_rank)
