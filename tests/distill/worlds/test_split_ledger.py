"""Splits that overlap are found."""

import pytest
from skillweave.distill.worlds.split_ledger import SplitLedger


def test_the_ledger_fails_on_an_overlap_and_names_both_splits() -> None:
    ledger = SplitLedger()
    ledger.record("train", ["a", "b", "b"])
    ledger.record("test", ["c"])
    assert ledger.counts() == {"train": 2, "test": 1}
    assert (ledger.outside("test"), ledger.outside("dev")) == ({"a", "b"}, {"a", "b", "c"})
    with pytest.raises(ValueError, match=r"task b is in split 'train' and again in 'test'"):
        ledger.record("test", ["d", "b"])
