"""Whether a list of events is a log that a bank could have written.

Owns the check of a log that comes from a disk or a stranger: its chain, its digests, its names.
Rules of writing and taste are not asked again: they may have become stricter since.
"""

from collections.abc import Sequence

from ...adapters.errors import StoreError
from ...adapters.text import shown, some
from .state import BankState, advance
from .texts import text_digest
from .types import Applied, Event, EventBody, Observed, Opened, RolledBack


def require_log(events: Sequence[Event]) -> None:
    """Refuse a list of events that is no unbroken log.

    Raises:
        StoreError: naming the first event that is wrong.
    """
    state = BankState()
    parent: Event | None = None
    for event in events:
        if isinstance(event.body, Opened) != (parent is None) or event != Event.after(
            parent, event.body
        ):
            raise StoreError(
                f"event {event.seq} does not follow the one before it: the log was changed or "
                "mixed with another; take it from where it was whole"
            )
        if (wrong := _wrong(event.body, state)) is not None:
            raise StoreError(f"event {event.seq} cannot be: {wrong}; take the log from its source")
        state, parent = advance(state, event), event


def _wrong(body: EventBody, state: BankState) -> str | None:
    """What no bank would have logged on this state."""
    if isinstance(body, Applied):
        if tuple(text_digest(text) for text in body.op.new) != body.digests:
            return "its texts are not those that it names by digest"
        if missing := [name for name in body.op.targets if name not in state.heads]:
            return f"it acts on {some(missing)}, not active then"
    elif isinstance(body, Observed) and body.digest not in state.versions:
        return "it observes a version that never was"
    elif isinstance(body, RolledBack):
        for name, digest in body.heads.items():
            if digest not in state.versions or state.versions[digest].name != name:
                return f"it rolls {shown(name)!r} back to a version that it never had"
    return None
