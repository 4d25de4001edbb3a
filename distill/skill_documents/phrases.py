"""Words of texts, and whether a phrase stands in one. Pure.

Owns the one notion of "occurs in" that the reader and the count of uptake share: whole words in
their order, never across a line or a colon.
"""

import re
from collections.abc import Iterable


def segments(text: str) -> tuple[tuple[str, ...], ...]:
    """The words of a text in folded case, split at line breaks and colons."""
    pieces = re.split(r"[:\n]", text.casefold())
    return tuple(words for words in (tuple(re.findall(r"\w+", p)) for p in pieces) if words)


def occurs(phrase: str, text: str) -> bool:
    """Whether the words of `phrase` stand in `text`, in order and next to each other."""
    wanted = tuple(word for part in segments(phrase) for word in part)
    return place(wanted, segments(text)) is not None


def place(wanted: tuple[str, ...], where: Iterable[tuple[str, ...]]) -> tuple[int, int] | None:
    """The segment and the word at which `wanted` first stands; None where it does not."""
    for number, words in enumerate(where):
        for start in range(len(words) - len(wanted) + 1):
            if wanted and words[start : start + len(wanted)] == wanted:
                return number, start
    return None
