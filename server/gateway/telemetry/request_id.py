"""The id of a request: the client's own where it is sound, else a new one. Pure but for chance.

It stands in logs, in a reply header and in a request to an engine, so it may hold nothing that
means something there.
"""

import os
import re

MAX_CHARS = 64
_SOUND = re.compile(r"[A-Za-z0-9._-]{1,64}")


def new_request_id() -> str:
    """32 hexadecimal digits."""
    return os.urandom(16).hex()


def sound(given: str | None) -> str | None:
    """The client's id if it is 1 to `MAX_CHARS` letters, digits, `.`, `_` and `-`, else None."""
    return given if given is not None and _SOUND.fullmatch(given) else None
