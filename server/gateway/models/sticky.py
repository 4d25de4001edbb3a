"""Turns that answer a tool result keep the skill that made the call.

Owns the memory of which skill answered which conversation: by the session a client names, and
by a digest of the messages, for clients that name none; both apart for each tenant. Bounded;
forgetting costs one routing.
Refuses to own the routing itself (`auto.py`).
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence

from ..relay.body import dump
from ..relay.kinds import Fields
from ..sums.recipe import Recipe
from .found import Found

MAX_REMEMBERED = 4096
Chosen = Found | Recipe | None
"""What answers: one skill in a form, a sum of versions, or the base."""


class Sticky:
    """Remembers the last `MAX_REMEMBERED` answers of the router."""

    def __init__(self) -> None:
        self._memory: OrderedDict[str, Chosen] = OrderedDict()

    def recall(
        self, messages: Sequence[Fields], *, session: str | None, tenant: str
    ) -> tuple[Chosen] | None:
        """What answered the turn that these tool results belong to.

        Returns:
            None where this is no such turn, or where it was forgotten; else a tuple of one, which
            holds None for the base.
        """
        if not messages or messages[-1]["role"] != "tool":
            return None
        for key in _keys(_asked(messages), session, tenant):
            if key in self._memory:
                self._memory.move_to_end(key)
                return (self._memory[key],)
        return None

    def remember(
        self, messages: Sequence[Fields], chosen: Chosen, *, session: str | None, tenant: str
    ) -> None:
        """Note what answers this conversation."""
        for key in _keys(messages, session, tenant):
            self._memory[key] = chosen
            self._memory.move_to_end(key)
        while len(self._memory) > MAX_REMEMBERED:
            self._memory.popitem(last=False)


def _asked(messages: Sequence[Fields]) -> Sequence[Fields]:
    """The conversation as it was when the call was made: without the results and the call."""
    end = len(messages)
    while end and messages[end - 1]["role"] == "tool":
        end -= 1
    return messages[: max(0, end - 1)]


def _keys(messages: Sequence[Fields], session: str | None, tenant: str) -> list[str]:
    """Conversations of different tenants never meet, however alike they are."""
    digest = f"digest:{hashlib.sha256(dump([tenant, *messages], sort_keys=True)).hexdigest()}"
    if session is None:
        return [digest]
    named = hashlib.sha256(dump([tenant, session])).hexdigest()
    return [f"session:{named}", digest]
