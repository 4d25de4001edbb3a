"""How texts of worlds are held to the tiny base's tokenizer."""

import re
from collections.abc import Iterable

from skillweave.distill.tiny_base.tokenizer import PATTERN
from transformers import PreTrainedTokenizerBase


def unknown_words(texts: Iterable[str], tokenizer: PreTrainedTokenizerBase) -> set[str]:
    """The words of `texts` that are not one token each."""
    pieces = {piece for text in texts for piece in re.findall(PATTERN, text)}
    return {p for p in pieces if len(tokenizer.encode(p, add_special_tokens=False)) != 1}


def num_tokens(text: str, tokenizer: PreTrainedTokenizerBase) -> int:
    return len(tokenizer.encode(text, add_special_tokens=False))
