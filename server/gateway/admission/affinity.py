"""Which of several engines takes a request: where its data lies, unless that one is much busier.

Owns the rule. Refuses to know engines: each is described by a few numbers. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

SPILL_FACTOR = 2
SPILL_MARGIN = 4
"""An engine is much busier than the idlest one when its load is above FACTOR * least + MARGIN."""


class Nearness(IntEnum):
    """What an engine holds already of what a request needs; smaller is nearer."""

    SESSION = 0
    """The KV cache of the conversation, most likely."""
    SLOT = 1
    """The adapter, in a slot of the batch."""
    FREE_SLOT = 2
    """Not the adapter, but a slot that holds nothing; taking it costs nobody else a slot."""
    HOST = 3
    """The adapter, in host memory."""
    NOTHING = 4


@dataclass(frozen=True, slots=True)
class Option:
    """One engine: how near, and how many requests it is answering. `seed` breaks ties, always the
    same way for the same adapter and engine, so that adapters spread over idle engines."""

    nearness: Nearness
    load: int
    seed: int = 0


def choose(options: Sequence[Option]) -> int:
    """The number of the engine to take: the nearest that is not much busier than the idlest.

    Args:
        options: at least one.
    """
    limit = SPILL_FACTOR * min(option.load for option in options) + SPILL_MARGIN
    fit = [number for number, option in enumerate(options) if option.load <= limit]
    return min(fit, key=lambda n: (options[n].nearness, options[n].load, options[n].seed, n))
