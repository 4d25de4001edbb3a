"""A slice of the bench of the server: its rows of a gateway before the fake engine."""

import pytest
from skillweave.scripts.bench.serve_cold import mixes
from skillweave.scripts.bench.serve_latency import first_row, whole_rows
from skillweave.scripts.bench.serve_sides import gateway_before, upstream


def test_mixes_are_all_different() -> None:
    first = mixes(["a@1", "b@1", "c@1"], 30)
    assert len(set(first)) == 30
    assert not set(first) & set(mixes(["a@1", "b@1", "c@1"], 30, skip=30))


@pytest.mark.slow
def test_the_gateway_is_measured_and_says_the_same_as_the_engine() -> None:
    with upstream() as engine, gateway_before(engine) as (gateway, _):
        rows = [
            *whole_rows(engine, gateway, "fake", pairs=3, words=4),
            first_row(engine, gateway, "fake", pairs=3, words=4),
        ]
    assert all(row.equal for row in rows)
    assert [row.bar is None for row in rows] == [False, False, True, False]
