"""Turns that answer a tool result keep the skill that made the call.

Owns the memory of which skill answered which conversation: by the session a client names, and
by a digest of the messages, for clients that name none. Bounded; forgetting costs one routing.
Refuses to own the routing itself (`auto.py`).
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence

from .body import Fields
from .catalog import Found

MAX_REMEMBERED = 4096


class Sticky:
    """Remembers the last `MAX_REMEMBERED` answers of the router."""

    def __init__(self) -> None:
        self._memory: OrderedDict[str, Found | None] = OrderedDict()

    def recall(
        self, messages: Sequence[Fields], *, session: str | None
    ) -> tuple[Found | None] | None:
        """What answered the turn that these tool results belong to.

        Returns:
            None where this is no such turn, or where it was forgotten; else a tuple of one, which
            holds None for the base.
        """
        if not messages or messages[-1]["role"] != "tool":
            return None
        for key in _keys(_asked(messages), session):
            if key in self._memory:
                self._memory.move_to_end(key)
                return (self._memory[key],)
        return None

    def remember(
        self, messages: Sequence[Fields], found: Found | None, *, session: str | None
    ) -> None:
        """Note which skill (None: the base) answers this conversation."""
        for key in _keys(messages, session):
            self._memory[key] = found
            self._memory.move_to_end(key)
        while len(self._memory) > MAX_REMEMBERED:
            self._memory.popitem(last=False)


def _asked(messages: Sequence[Fields]) -> Sequence[Fields]:
    """The conversation as it was when the call was made: without the results and the call."""
    end = len(messages)
    while end and messages[end - 1]["role"] == "tool":
        end -= 1
    return messages[: max(0, end - 1)]


def _keys(messages: Sequence[Fields], session: str | None) -> list[str]:
    digest = hashlib.sha256(json.dumps(messages, sort_keys=True).encode()).hexdigest()
    return [f"digest:{digest}"] if session is None else [f"session:{session}", f"digest:{digest}"]
