"""Byte tokens are counted where a word falls back to its bytes."""

from pathlib import Path

import pytest
from skillweave.adapters.errors import NotFound
from skillweave.distill.token_meter import MAX_BYTE_SHARE, read_meter, tiny_meter


def test_the_shipped_vocabulary_holds_its_worlds_words_and_bytes_for_the_rest() -> None:
    meter = tiny_meter()
    assert meter.byte_share("Reverse the list. Write the final list.") == 0.0
    assert meter.byte_share("") == 0.0
    # One space and five letters, then the two bytes of a letter outside ASCII with its space.
    assert meter.count_tokens("list zzyzx é") - meter.count_tokens("list") == 6 + 3
    assert meter.count_tokens("list zzyzx é") == 1 + 9
    share = meter.byte_share("list zzyzx é")
    assert share == pytest.approx(9 / 10)


def test_foreign_instructions_lie_above_the_bound() -> None:
    text = "Write a commit message in the imperative mood and explain why in the body."
    share = tiny_meter().byte_share(text)
    assert share is not None
    assert share > MAX_BYTE_SHARE


def test_a_missing_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no tokenizer at .*tokenizer\.json"):
        read_meter(tmp_path / "tokenizer.json", label="mine")
