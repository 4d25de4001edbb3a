"""What nobody should send, on the real socket of a whole server: every case of the exam's list."""

import pytest
from skillweave.scripts.exams.serve_garbage import Case, cases, fault_of, over_long
from skillweave.server.running import Running

CASES = tuple(cases())
LIMIT_BYTES = 32 * 1024 * 1024


def test_every_case_has_a_name_of_its_own() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) > 80


def test_garbage_gets_a_refusal_or_nothing(served: Running) -> None:
    faults = [fault_of(served.root, case) for case in CASES]
    assert [fault for fault in faults if fault is not None] == []


@pytest.mark.parametrize("size", [LIMIT_BYTES + 1, 3 * LIMIT_BYTES])
def test_an_over_long_body_is_refused(served: Running, size: int) -> None:
    assert fault_of(served.root, over_long(size)) is None


def test_the_judge_sees_a_server_that_fails(served: Running) -> None:
    """A fair answer that was not expected is a fault: the list is not blind."""
    good = next(case for case in CASES if case.name == "chunked")
    told = fault_of(served.root, Case("unexpected", good.data, ok=False))
    assert told is not None
    assert told.startswith("unexpected: 200")
