"""A slice of the exam's made-up requests, over a real socket."""

from pathlib import Path

import pytest

pytest.importorskip("schemathesis", reason="schemathesis is not installed")


@pytest.mark.slow
def test_made_up_requests_are_answered_or_refused(tmp_path: Path) -> None:
    from skillweave.scripts.exams.serve_fuzz import RELAYED, rows

    faults, cases = rows(tmp_path, cases=160, only=[*RELAYED, "/admin/publish"])
    assert faults.ours is not None
    assert faults.ours["faults"] == []
    assert cases.holds
