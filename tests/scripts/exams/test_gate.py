"""A slice of the exam of the gate: its counting, on all kinds and a few fuzzed cases."""

from skillweave.scripts.exams import gate as exam_gate


def test_every_kind_is_counted_as_refused() -> None:
    faults: list[str] = []
    rows = exam_gate.kind_rows(faults)
    assert faults == []
    assert all(row.holds for row in rows)
    assert rows[0].value >= exam_gate.MIN_KINDS


def test_fuzzed_cases_are_counted_from_their_seeds() -> None:
    faults: list[str] = []
    rows = exam_gate.fuzz_rows(40, faults)
    assert faults == []
    assert rows[0].holds
    assert rows[0].ours is not None
    counts = [rows[0].ours[key] for key in ("taken", "refused")]
    assert sum(count for count in counts if isinstance(count, int)) == 40
