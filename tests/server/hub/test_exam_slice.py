"""The exam of the hub on one adapter, with a real engine: the whole way, killed in the middle."""

from pathlib import Path

import pytest
from skillweave.scripts.exams.hub import run
from skillweave.scripts.launching import launcher


@pytest.mark.slow
@pytest.mark.vllm
def test_from_store_to_engine_by_way_of_the_hub(tmp_path: Path) -> None:
    rows = run(tmp_path, launch=launcher())
    assert [row.figure for row in rows if not (row.holds and row.equal)] == []
    assert len(rows) == 13
