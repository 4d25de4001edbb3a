"""A row's document, its bar, and how a bench ends."""

import json

import pytest
from skillweave.adapters.errors import UsageError
from skillweave.scripts import bench as benches
from skillweave.scripts.bench.rows import Op, Row
from skillweave.scripts.commands.bench import bench


def ratio(*, equal: bool = True, value: float = 120.0) -> Row:
    return Row("ratio", value, 5, ">=", 100.0, equal, {"median_s": 0.1}, {"median_s": 12.0})


@pytest.mark.parametrize(
    ("value", "op", "bar", "holds"),
    [
        (100.0, ">=", 100.0, True),
        (99.9, ">=", 100.0, False),
        (1.0, "<=", 1.0, True),
        (1.1, "<=", 1.0, False),
        (3.0, "==", 3.0, True),
        (2.0, "==", 3.0, False),
    ],
)
def test_a_bar_is_met_or_not(value: float, op: Op, bar: float, holds: bool) -> None:
    assert Row("x", value, 1, op, bar).holds is holds


def test_a_figure_without_a_bar_is_reported() -> None:
    document = Row("x", 2.0, 1).document()
    assert document["holds"] is True
    assert (document["op"], document["bar"], document["theirs"]) == (None, None, None)


def test_half_a_bar_is_refused() -> None:
    with pytest.raises(ValueError, match="together"):
        Row("x", 2.0, 1, op="<=")


def test_an_unknown_bench_names_those_that_exist() -> None:
    with pytest.raises(UsageError, match="'speed' is not a bench"):
        benches.load("speed")


@pytest.mark.parametrize(
    ("rows", "code"),
    [([ratio()], 0), ([ratio(), ratio(value=99.0)], 1), ([ratio(equal=False)], 1)],
)
def test_the_verb_fails_where_a_bar_or_a_check_fails(
    rows: list[Row], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("skillweave.scripts.commands.bench.load", lambda _name: lambda: rows)
    assert bench("any", json=True) == code
    document = json.loads(capsys.readouterr().out)
    assert document == {"bench": "any", "rows": [row.document() for row in rows]}
