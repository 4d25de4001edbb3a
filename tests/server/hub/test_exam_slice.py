"""The exam of the hub without its engine: the whole way, killed in the middle, real processes."""

from pathlib import Path

import pytest
from skillweave.scripts.exams.hub import run


@pytest.mark.slow
def test_from_store_to_peft_by_way_of_the_hub(tmp_path: Path) -> None:
    rows = run(tmp_path, launch=None)
    assert [row.figure for row in rows if not (row.holds and row.equal)] == []
    assert len(rows) == 11
