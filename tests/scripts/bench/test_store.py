"""The bench of the store, small: every row is there, and both sides agree."""

import pytest
from skillweave.scripts.bench.store import run


@pytest.mark.slow
def test_every_row_has_both_sides_agree() -> None:
    rows = run(num=210, puts={"small": (2, 2)})
    assert [row.figure for row in rows if not row.equal] == []
    bars = {row.bar for row in rows if row.op is not None}
    assert bars == {50e-6, 2e-3, 50e-3, 100.0}
    assert len(rows) == 11
