"""Real processes, really killed: a slice of the exam."""

from pathlib import Path

import pytest
from skillweave.scripts.exams.store import killings


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_over_twelve_kills(tmp_path: Path) -> None:
    killed, row = killings(tmp_path / "crowd", num=12, seed=1)
    assert killed["faults"] == []
    assert row.holds
    assert killed["done"]["put"] > 12
