"""The kinds of relayed requests, and by which fields each says what is to be answered. Pure.

Owns these few words. To add a kind: a name, its fields, and a row in `app.py`.
"""

from collections.abc import Mapping
from typing import Literal

Fields = dict[str, object]
"""The body of a request, parsed."""
Kind = Literal["chat", "completion", "response", "tokenize"]
CONVERSATIONS: Mapping[Kind, tuple[str, ...]] = {
    "chat": ("messages",),
    "completion": ("prompt",),
    "response": ("input",),
    "tokenize": ("messages", "prompt"),
}
"""The fields by which a kind of request says what is to be answered. Any other of them, which the
engine would pass over, is refused, so that nothing else is judged than what is answered."""
SAYING = frozenset(name for names in CONVERSATIONS.values() for name in names)
