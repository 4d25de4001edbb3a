"""Hand-worked blocks, numbers and drawings."""

import re

import pytest
from skillweave.distill.evaluation import (
    Above,
    Below,
    Criterion,
    Interval,
    ItemResult,
    Within,
    check,
    diff,
    measured,
)
from skillweave.distill.report import Report, bar_rows, break_even, confusion, worked_example
from skillweave.distill.report.figures import (
    MINUS,
    count,
    decimal,
    percent,
    plain,
    points,
    probability,
    seconds,
)
from skillweave.distill.report.prose import summary, verdict_line
from skillweave.distill.report.svg import PERCENT, Axis, Point, interval_plot


def reply(about: str, route: str, form: str = "adapter", error: str = "") -> ItemResult:
    return ItemResult("i", about, "auto", True, 1.0, 1, 1, "x", route, form, "", error)


def test_the_confusion_matrix_counts_routes_abstentions_and_outsiders() -> None:
    got = confusion(
        [
            reply("a", "a@2"),
            reply("a", "a"),
            reply("a", "b"),
            reply("a", "", "none"),
            reply("b", "b", "text"),
            reply("b", "base"),
            reply("weather", "", "none"),
            reply("weather", "a"),
            reply("b", "", error="hung"),
        ],
        skills=["a", "b"],
    )
    assert got.rows == ("a", "b", "outside every skill")
    assert got.columns == ("a", "b", "abstained")
    assert got.counts == ((2, 1, 1), (0, 1, 1), (1, 0, 1))
    assert got.accuracy == 3 / 6
    assert got.abstained == 2 / 6
    assert got.out_of_scope_abstained == 0.5


def test_a_route_to_a_skill_outside_the_matrix_is_no_abstention() -> None:
    got = confusion([reply("a", "zebra"), reply("a", "a")], skills=["a"])
    assert got.columns == ("a", "another skill", "abstained")
    assert got.counts == ((1, 1, 0),)
    assert (got.accuracy, got.abstained, got.out_of_scope_abstained) == (0.5, 0.0, None)


def test_break_even_is_training_over_time_saved() -> None:
    # 1/20 - 1/40 = 25 ms saved a request; 30 s / 25 ms = 1200
    got = break_even(
        "s", prefix_cache=False, train_s=30, text_requests_per_s=20, adapter_requests_per_s=40
    )
    assert got.saved_ms == pytest.approx(25)
    assert got.requests == 1200


@pytest.mark.parametrize("adapter_requests_per_s", [20.0, 19.0])
def test_an_adapter_that_is_not_faster_never_breaks_even(adapter_requests_per_s: float) -> None:
    got = break_even(
        "s",
        prefix_cache=True,
        train_s=30,
        text_requests_per_s=20,
        adapter_requests_per_s=adapter_requests_per_s,
    )
    assert got.requests is None


def test_bars_come_from_the_clauses_in_their_own_units() -> None:
    criterion = Criterion(
        statement="s",
        clauses=(
            Above(what=diff("s2l", "text"), bar=-0.03, on="lower"),
            Within(what=diff("auto", "s2l"), bar=0.05),
            Below(what=measured("dlogp"), bar=1e-4),
            Below(what=measured("wall"), bar=480),
        ),
    )
    checked = check(
        criterion,
        means={},
        differences={
            ("s2l", "text"): Interval(0.008, -0.007, 0.024),
            ("auto", "s2l"): Interval(-0.061, -0.08, -0.04),
        },
        numbers={"dlogp": 3.1e-5},
    )
    got = bar_rows(checked.clauses, names={"dlogp": "largest difference"})
    rows = [(b.figure, b.bar, b.seen.replace(MINUS, "-"), b.met) for b in got]
    assert rows == [
        ("s2l minus text, lower end of the interval", f"above {MINUS}3 points",
         "+0.8 (-0.7 to +2.4)", "met"),
        ("auto minus s2l", "within 5 points", "-6.1 (-8.0 to -4.0)", "missed"),
        ("largest difference", f"below 1.0e{MINUS}04", "3.1e-05", "met"),
        ("wall", "below 480", "", "not measured"),
    ]  # fmt: skip


def test_an_example_shows_a_failed_request_as_such() -> None:
    rows = [reply("a", "a"), reply("a", "", error="hung")]
    got = worked_example("a", rows, skill_text="t", request="r", item_id="i")
    assert [answer.answer for answer in got.answers] == ["x", "(request failed: hung)"]


def test_the_verdict_line_counts_bars() -> None:
    empty = Report(title="t", created="now", bars=(), arms=())
    assert verdict_line(empty) == "No bars were set for this run."
    assert "Not measured in this run: the router, cost, harm and numeric agreement." in summary(
        empty
    )


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (percent(0.94237), "94.2"),
        (points(-0.0312), "-3.1"),
        (points(0.0312), "+3.1"),
        (points(-0.0001), "0.0"),
        (decimal(1234567.891, 2), "1\u202f234\u202f567.89"),
        (count(-1200), "-1\u202f200"),
        (plain(3.1e-5), "3.1e-05"),
        (plain(512.34), "512.3"),
        (plain(480.0), "480"),
        (plain(0.0), "0"),
        (plain(123456.0), "123\u202f456"),
        (probability(0.2452), "0.245"),
        (probability(0.0), "< 0.001"),
        (seconds(3.21), "3.2 s"),
        (seconds(59.97), "1 min 00 s"),
        (seconds(192.4), "3 min 12 s"),
        (seconds(7300), "2 h 1 min"),
    ],
)
def test_numbers_are_written_one_way(shown: str, expected: str) -> None:
    assert shown.replace(MINUS, "-") == expected


def test_a_plot_places_points_by_percent_and_clips_what_lies_outside() -> None:
    svg = str(interval_plot([Point("a", 0.5, 0.25, 1.7, shown="50")], title="T", axis=PERCENT))
    assert 'cx="50.00%"' in svg  # 1.5 + 97 / 2
    assert 'x1="25.75%" x2="98.50%"' in svg  # 1.5 + 97 / 4, and the end of the axis
    assert 'aria-label="T. a: 50"' in svg


def test_a_plot_escapes_its_labels() -> None:
    svg = str(interval_plot([Point('<b a="', 0, 0, 0, shown="&")], title='"<', axis=PERCENT))
    assert "<b" not in svg
    assert re.search(r'aria-label="&#34;&lt;\. &lt;b a=&#34;: &amp;"', svg)


def test_a_reference_line_stands_at_zero() -> None:
    axis = Axis(ticks=((-1.0, "-1"), (1.0, "+1")), zero=0.0)
    svg = str(interval_plot([Point("a", 0, -1, 1, shown="0")], title="T", axis=axis))
    assert 'class="plot-zero" x1="50.00%"' in svg
