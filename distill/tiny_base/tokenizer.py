"""Builds the tiny base's tokenizer: one token per word or symbol of the worlds, bytes for the rest.

A byte-level BPE without merges: a pre-token that stands in the vocabulary is one token, any other
falls back to its bytes, so every UTF-8 text round-trips. Run `python -m
skillweave.distill.tiny_base.tokenizer OUT` to write the files. A change of the vocabulary or of
the chat template changes the base's digests: it is a new edition of the base.
"""

import json
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

from ..worlds.string_skills import requests, texts, topics
from ..worlds.string_skills.answers import worked_answer
from ..worlds.string_skills.formats import FORMATS
from ..worlds.string_skills.primitives import PRIMITIVES
from .words import all_words

END_OF_TEXT, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CONTROL = (
    END_OF_TEXT, START, END, "<|q+|>", "<|q-|>",
    "<|spare_0|>", "<|spare_1|>", "<|spare_2|>", "<|spare_3|>",
)  # fmt: skip
MARKS = (
    "<think>",
    "</think>",
    "<tool_call>",
    "</tool_call>",
    "<tool_response>",
    "</tool_response>",
    "<tools>",
    "</tools>",
)
"""Tokens that the reader of an answer sees, so they are not special."""

PATTERN = r" ?[A-Za-z]+| ?[0-9]| ?[^\sA-Za-z0-9]|\n{1,2}|\s"
"""Pre-tokens: a word, one digit or one other character, each with its leading space; line ends."""


def _world_texts(num_skills: int = 6000) -> Iterator[str]:
    rng = random.Random(0)
    for index in range(num_skills):
        spec = texts.random_spec(rng, 1 + index % 3)
        items = requests.random_items(spec, rng)
        yield texts.skill_body(spec, rng)
        yield texts.skill_description(spec, rng)
        yield requests.request_text(spec, items, rng, wording="seen" if index % 2 else "unseen")
        yield worked_answer(spec, items)
        yield texts.plain_request(spec.operations[0], items, rng)
        yield texts.irrelevant_body(rng, 60)


def vocabulary() -> list[str]:
    """All pre-tokens with a token of their own, without bytes, in a fixed order."""
    found: dict[str, None] = {}
    for text in _world_texts():
        for piece in re.findall(PATTERN, text):
            found.setdefault(piece)
    words = [*all_words()]
    for row in topics.TOPICS.values():
        words += [row.slug, *row.told, *row.untold]
    words += list(PRIMITIVES) + list(FORMATS)
    words += [chr(code) for code in range(ord("a"), ord("z") + 1)]
    for word in words:
        for part in re.findall("[A-Za-z]+", word):
            lower = part.lower()
            for form in (f" {lower}", lower, lower.capitalize(), f" {lower.capitalize()}"):
                found.setdefault(form)
    for digit in "0123456789":
        found.setdefault(digit)
        found.setdefault(f" {digit}")
    for mark in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~":
        found.setdefault(mark)
        found.setdefault(f" {mark}")
    found.setdefault("\n")
    found.setdefault("\n\n")
    return list(found)


def build_tokenizer() -> Tokenizer:
    """The tokenizer as an object of the `tokenizers` library."""
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    spelled = ["".join(p for p, _ in byte_level.pre_tokenize_str(word)) for word in vocabulary()]
    tokens = list(dict.fromkeys([*CONTROL, *MARKS, *alphabet, *spelled]))
    vocab = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[], ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"), byte_level]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in CONTROL])
    tokenizer.add_tokens([AddedToken(t, special=False, normalized=False) for t in MARKS])
    return tokenizer


def write_tokenizer(folder: Path) -> int:
    """Write `tokenizer.json` and `tokenizer_config.json`; returns the number of tokens."""
    tokenizer = build_tokenizer()
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": END,
        "pad_token": END_OF_TEXT,
        "model_max_length": 2048,
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    return tokenizer.get_vocab_size()


if __name__ == "__main__":
    print(write_tokenizer(Path(sys.argv[1])))
