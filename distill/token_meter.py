"""Counting tokens, and the share of them that are bare bytes.

Owns the meter that `check` and a preflight read. Refuses to own a tokenizer: it takes any
`tokenizers` file, by default the shipped base's, and any callable.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tokenizers import Tokenizer

from ..adapters.errors import NotFound
from .tiny_base import tiny_base_path

TINY_BASE_LABEL = "shipped base"

MAX_BYTE_SHARE = 0.10
"""A body with a larger share of byte tokens lies outside the shipped base's worlds. Texts of its
worlds have 0; plain English instructions have 0.3 to 0.9."""


@dataclass(frozen=True)
class TokenMeter:
    """How texts are measured."""

    label: str
    """Whose tokens these are; shown beside every number."""
    count_tokens: Callable[[str], int]
    """Tokens of a text, without any that a chat template adds."""
    count_byte_tokens: Callable[[str], int] | None = None
    """How many of them are single bytes of a word that the vocabulary lacks; None: unknown."""

    def byte_share(self, text: str) -> float | None:
        """Byte tokens divided by tokens, in [0, 1]; 0 for an empty text, None where unknown."""
        if self.count_byte_tokens is None:
            return None
        return self.count_byte_tokens(text) / max(1, self.count_tokens(text))


def read_meter(tokenizer_file: Path, *, label: str) -> TokenMeter:
    """A meter for a `tokenizer.json` whose vocabulary holds whole words and bytes, no merges.

    There a word of several tokens is a word that fell back to its bytes.

    Raises:
        NotFound: no such file.
    """
    if not tokenizer_file.is_file():
        raise NotFound(f"no tokenizer at {tokenizer_file}; expected the base's tokenizer.json")
    tokenizer = Tokenizer.from_file(str(tokenizer_file))

    def count(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False).ids)

    def count_bytes(text: str) -> int:
        words = tokenizer.encode(text, add_special_tokens=False).word_ids
        return sum(size for size in Counter(words).values() if size > 1)

    return TokenMeter(label, count, count_bytes)


@lru_cache(maxsize=1)
def tiny_meter() -> TokenMeter:
    """The meter of the shipped base."""
    return read_meter(tiny_base_path() / "tokenizer.json", label=TINY_BASE_LABEL)
