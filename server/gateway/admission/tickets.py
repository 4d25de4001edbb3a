"""What a request asks of admission, and what it gets. Pure values.

Owns these two. Refuses to own how one leads to the other (`admission.py`).
"""

from dataclasses import dataclass

from ...engines.client import EngineClient


@dataclass(frozen=True)
class Wanted:
    """What a request needs.

    Args:
        adapter: engine-side name; None for the base and for texts.
        tenant: for fairness between callers.
        cost: expected tokens, prompt and answer together.
        session: requests of one session like to meet the same engine again.
        timeout_s: how long the caller is willing to wait in all; None for no limit.
        avoid: engines that have just failed this request.
    """

    adapter: str | None
    tenant: str
    cost: int
    session: str | None = None
    timeout_s: float | None = None
    avoid: tuple[EngineClient, ...] = ()


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to ask one engine now. `priority` is for the engine, smaller is sooner."""

    engine: EngineClient
    priority: int | None = None
