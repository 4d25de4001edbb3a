"""One request, read: its body, its caller, our headers, and its likely cost. Pure.

Owns the names and bounds of those headers, and the estimate of tokens. Refuses to own the body
(`body.py`) and who asks (`access/`).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from ..access.caller import Caller
from ..errors import RequestRefused
from .kinds import Fields, Kind

SESSION, TIMEOUT = b"x-skillweave-session", b"x-skillweave-timeout-s"
MAX_SESSION_CHARS = 256
MAX_TIMEOUT_S = 86_400.0
CHARS_PER_TOKEN = 4
USUAL_ANSWER = 256
"""Tokens that an answer without a bound is taken to have."""
_T = TypeVar("_T", str, float)


@dataclass(frozen=True)
class Wishes:
    """What the headers of a request ask for; None where they do not."""

    session: str | None = None
    timeout_s: float | None = None


@dataclass(frozen=True)
class Asked:
    """One request, read and judged."""

    fields: Fields
    kind: Kind
    caller: Caller
    wishes: Wishes


def read_wishes(headers: Iterable[tuple[bytes, bytes]]) -> Wishes:
    """Our request headers.

    Raises:
        RequestRefused: a header that is no such thing, or stands twice.
    """
    session: str | None = None
    timeout_s: float | None = None
    for name, value in headers:
        if name == SESSION:
            session = _once(session, _session(value), name)
        elif name == TIMEOUT:
            timeout_s = _once(timeout_s, _timeout(value), name)
    return Wishes(session, timeout_s)


def tokens_of_prompt(fields: Fields) -> int:
    """About how many tokens a request brings: ids are counted, text is estimated."""
    chars = ids = 0
    open_values: list[object] = [
        fields.get(name) for name in ("prompt", "messages", "input", "instructions", "tools")
    ]
    while open_values:
        value = open_values.pop()
        if isinstance(value, str):
            chars += len(value)
        elif isinstance(value, dict):
            open_values += value.values()
        elif isinstance(value, list):
            if value and isinstance(value[0], int):
                ids += len(value)
            else:
                open_values += value
    return ids + chars // CHARS_PER_TOKEN


def tokens_of_answers(fields: Fields) -> int:
    """How many tokens may be made at most, where a bound is given."""
    bounds = ("max_tokens", "max_completion_tokens", "max_output_tokens")
    given = [value for value in map(fields.get, bounds) if _is_count(value)]
    answers = fields.get("n")
    num = answers if isinstance(answers, int) and _is_count(answers) else 1
    return num * (
        min(value for value in given if isinstance(value, int)) if given else USUAL_ANSWER
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _once(before: _T | None, now: _T, name: bytes) -> _T:
    if before is not None:
        raise RequestRefused(f"the header {name.decode()} stands twice: say it once")
    return now


def _session(value: bytes) -> str:
    if not 0 < len(value) <= MAX_SESSION_CHARS:
        raise RequestRefused(
            f"{SESSION.decode()} has {len(value)} characters: expected 1 to {MAX_SESSION_CHARS}"
        )
    return value.decode("latin-1")


def _timeout(value: bytes) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not 0.0 < seconds <= MAX_TIMEOUT_S:
        raise RequestRefused(
            f"{TIMEOUT.decode()} is {value[:40].decode('latin-1')!r}: expected seconds above 0 and "
            f"at most {MAX_TIMEOUT_S:g}"
        )
    return seconds
