"""The shipped tokenizer: one token for every word of the worlds, bytes for everything else."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.distill.tiny_base import tiny_base_path
from skillweave.distill.tiny_base.tokenizer import CONTROL, MARKS, build_tokenizer, write_tokenizer
from skillweave.distill.tiny_base.words import all_words
from skillweave.distill.worlds.string_skills.formats import FORMATS
from skillweave.distill.worlds.string_skills.primitives import ALPHABET, PRIMITIVES
from skillweave.distill.worlds.string_skills.topics import TOPICS
from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerBase

ROWS = 3392
"""Rows of the base's embedding."""


SHIPPED = Tokenizer.from_file(str(tiny_base_path() / "tokenizer.json"))


@pytest.fixture
def shipped() -> Tokenizer:
    return SHIPPED


def listed_words() -> Iterator[str]:
    yield from all_words()
    for topic in TOPICS.values():
        yield from (topic.slug, *topic.told, *topic.untold)
    for name in (*PRIMITIVES, *FORMATS):
        yield from name.split("-")


def test_every_listed_word_is_one_token_wherever_it_stands(shipped: Tokenizer) -> None:
    words = sorted({word.lower() for word in listed_words() if word.isalpha()})
    assert len(words) > 500
    for word in words:
        for form in (word, word.capitalize(), f" {word}", f" {word.capitalize()}"):
            assert len(shipped.encode(form).ids) == 1, form


def test_every_word_of_a_wording_is_one_token_where_it_stands(shipped: Tokenizer) -> None:
    def words_of(text: str) -> list[str]:
        return re.findall("[A-Za-z]+|,", text)

    for row in FORMATS.values():
        for wording in row.wordings:
            assert len(shipped.encode(f" {wording}").ids) == len(words_of(wording)), wording
    for primitive in PRIMITIVES.values():
        for wording in primitive.wordings:
            text = re.sub(r"\{.\}", "b", wording)
            for said in (f" {text}", text.capitalize()):
                assert len(shipped.encode(said).ids) == len(words_of(text)), said


def test_symbols_digits_and_punctuation_are_one_token_each(shipped: Tokenizer) -> None:
    marks = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
    for text in (*ALPHABET, *"abcdefghijklmnopqrstuvwxyz", *"0123456789", *marks):
        assert len(shipped.encode(text).ids) == 1, text
        assert len(shipped.encode(f" {text}").ids) == 1, text
    assert shipped.encode("12 + 305").tokens == ["1", "2", "Ġ+", "Ġ3", "0", "5"]
    assert shipped.encode("b c\n\nd").tokens == ["b", "Ġc", "ĊĊ", "d"]


def test_all_bytes_stand_in_the_vocabulary_and_the_ids_fit_the_embedding(
    shipped: Tokenizer,
) -> None:
    spelled = shipped.encode("\N{GRINNING FACE}zqx").tokens
    assert len(spelled) == 4 + 3
    assert len([token for token in shipped.get_vocab() if len(token) == 1]) >= 256
    assert 3000 < shipped.get_vocab_size() <= ROWS
    assert sorted(shipped.get_vocab().values()) == list(range(shipped.get_vocab_size()))


@settings(max_examples=400, deadline=None)
@given(st.text())
def test_any_text_comes_back_unchanged(text: str) -> None:
    assert SHIPPED.decode(SHIPPED.encode(text).ids, skip_special_tokens=False) == text


@pytest.mark.parametrize(
    "text",
    [
        "naïve café, \N{GREEK SMALL LETTER ALPHA}\N{GREEK SMALL LETTER OMEGA}, 漢字, שלום",
        "e\u0301 and é are not the same",
        "  two  spaces \t a tab \r\n a return \x0b\x0c\x1c\x85\u2028 ends ",
        "\N{FAMILY}\u200d\N{GIRL}\N{VARIATION SELECTOR-16} \U0010ffff \x00 \ufeff",
        "<|im_start|>user\nhi<|im_end|>\n<think>no</think>",
        "<|im_start|><|q+|><|q-|><|spare_0|>",
        "It's 'quoted' n't, a.b , c !",
    ],
)
def test_a_hard_text_comes_back_unchanged_through_transformers(
    tokenizer: PreTrainedTokenizerBase, text: str
) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_control_tokens_have_the_first_ids_and_are_never_shown(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    assert CONTROL[3:] == ("<|q+|>", "<|q-|>", *(f"<|spare_{i}|>" for i in range(4)))
    assert tokenizer.convert_tokens_to_ids(list(CONTROL)) == list(range(9))
    for token in CONTROL:
        (one,) = tokenizer.encode(f"{token}")
        assert tokenizer.decode([one], skip_special_tokens=True) == ""
    assert (tokenizer.eos_token, tokenizer.pad_token) == ("<|im_end|>", "<|endoftext|>")


def test_marks_are_one_token_that_a_reader_sees(tokenizer: PreTrainedTokenizerBase) -> None:
    for mark in MARKS:
        (one,) = tokenizer.encode(mark)
        assert tokenizer.decode([one], skip_special_tokens=True) == mark


def test_encoding_adds_nothing(tokenizer: PreTrainedTokenizerBase) -> None:
    assert tokenizer.encode("b c") == tokenizer.encode("b c", add_special_tokens=False)
    assert tokenizer.encode("") == []


def test_the_shipped_file_holds_what_the_tables_say(shipped: Tokenizer) -> None:
    """A word that was added to a world after the base was trained shows here."""
    built = build_tokenizer()
    assert set(built.get_vocab()) == set(shipped.get_vocab())
    assert [built.token_to_id(t) for t in (*CONTROL, *MARKS)] == [
        shipped.token_to_id(t) for t in (*CONTROL, *MARKS)
    ]
    text = "First drop the last two.\nThen sort the items 1 é \x1c <|im_end|> <tools>"
    assert built.encode(text).tokens == shipped.encode(text).tokens


def test_writing_gives_files_that_transformers_reads(tmp_path: Path) -> None:
    folder = tmp_path / "written"
    size = write_tokenizer(folder)
    read = AutoTokenizer.from_pretrained(folder)
    assert len(read) == size
    assert read.decode(read.encode("b c\nö")) == "b c\nö"
    shipped = (tiny_base_path() / "tokenizer_config.json").read_text()
    assert (folder / "tokenizer_config.json").read_text() == shipped
