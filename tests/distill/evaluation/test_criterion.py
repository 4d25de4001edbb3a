"""A criterion is data written before the run, and it refuses wins that were not shown."""

import pytest
from pydantic import ValidationError
from skillweave.distill.evaluation import (
    Above,
    Below,
    Criterion,
    Interval,
    Within,
    check,
    diff,
    mean,
    measured,
)


def the_criterion() -> Criterion:
    return Criterion(
        statement="the adapter carries the skill",
        preconditions=(Above(what=diff("text", "none"), bar=0.30),),
        clauses=(
            Above(what=diff("s2l", "text"), bar=-0.03, on="lower"),
            Above(what=diff("s2l", "none"), bar=0.30),
            Within(what=diff("auto", "s2l"), bar=0.05),
            Below(what=measured("max_abs_dlogp"), bar=1e-4),
        ),
    )


GOOD = {
    ("text", "none"): Interval(0.9, 0.85, 0.95),
    ("s2l", "text"): Interval(0.01, -0.02, 0.03),
    ("s2l", "none"): Interval(0.9, 0.8, 0.95),
    ("auto", "s2l"): Interval(-0.05, -0.09, -0.01),
}


def status(changed: dict[tuple[str, str], Interval], number: float = 1e-5) -> str:
    got = check(
        the_criterion(),
        means={},
        differences={**GOOD, **changed},
        numbers={"max_abs_dlogp": number},
    )
    return got.status


def test_every_clause_met_works() -> None:
    assert status({}) == "works"


def test_non_inferiority_looks_at_the_lower_bound_and_not_at_the_estimate() -> None:
    assert status({("s2l", "text"): Interval(0.01, -0.031, 0.03)}) == "not-shown"
    assert status({("s2l", "text"): Interval(-0.02, -0.029, 0.0)}) == "works"


def test_a_bar_is_strict() -> None:
    assert status({("s2l", "none"): Interval(0.30, 0.25, 0.35)}) == "not-shown"
    assert status({}, number=1e-4) == "not-shown"


def test_a_missed_precondition_is_an_absent_phenomenon_whatever_else_holds() -> None:
    assert status({("text", "none"): Interval(0.1, 0.05, 0.2)}) == "absent-phenomenon"


def test_a_win_whose_interval_includes_zero_is_refused() -> None:
    got = check(
        Criterion(statement="s", clauses=(Above(what=diff("a", "b"), bar=0.0),)),
        means={},
        differences={("a", "b"): Interval(0.4, -0.01, 0.8)},
    )
    assert got.status == "not-shown"
    assert got.clauses[0].note == "the interval includes 0, so this is no win"


def test_a_loss_claimed_for_the_other_arm_is_refused_likewise() -> None:
    clause = Below(what=diff("a", "b"), bar=0.0)
    assert clause.test(Interval(-0.4, -0.8, 0.01))[0] is False
    assert clause.test(Interval(-0.4, -0.8, -0.01))[0] is True


def test_an_interval_end_at_exactly_zero_is_no_win() -> None:
    assert Above(what=diff("a", "b"), bar=0.0).test(Interval(0.4, 0.0, 0.8))[0] is False


def test_a_mean_may_be_bounded_without_claiming_a_win() -> None:
    clause = Below(what=mean("none"), bar=0.10)
    assert clause.test(Interval(0.02, 0.0, 0.04)) == (True, "")


def test_what_was_not_measured_was_not_shown() -> None:
    got = check(the_criterion(), means={}, differences=GOOD)
    assert got.status == "not-shown"
    assert [(r.holds, r.note) for r in got.clauses][-1] == (False, "not measured")
    assert got.clauses[-1].seen is None


def test_a_number_that_is_not_a_number_never_holds() -> None:
    assert status({}, number=float("nan")) == "not-shown"


def test_clauses_read_like_the_bars_they_are() -> None:
    assert [str(clause) for clause in the_criterion().clauses] == [
        "lower bound of s2l minus text > -0.03",
        "s2l minus none > 0.3",
        "|auto minus s2l| <= 0.05",
        "max_abs_dlogp < 0.0001",
    ]


def test_a_criterion_names_its_arms_and_pairs() -> None:
    assert the_criterion().arms == ("auto", "none", "s2l", "text")
    assert the_criterion().pairs[0] == ("text", "none")
    assert len(the_criterion().pairs) == 4


def test_the_digest_moves_with_any_bar_and_survives_json() -> None:
    first = the_criterion()
    again = Criterion.model_validate_json(first.model_dump_json())
    assert again == first
    assert again.digest == first.digest
    moved = first.model_copy(
        update={"clauses": (Within(what=diff("auto", "s2l"), bar=0.06), *first.clauses[1:])}
    )
    assert moved.digest != first.digest


def test_a_criterion_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError):
        the_criterion().statement = "easier"  # type: ignore[misc]


def test_a_criterion_without_clauses_is_refused() -> None:
    with pytest.raises(ValidationError):
        Criterion(statement="nothing", clauses=())


def test_a_measured_figure_may_bring_its_interval() -> None:
    criterion = Criterion(
        statement="s", clauses=(Above(what=measured("harm"), bar=0.0, on="lower"),)
    )
    wide = check(criterion, means={}, differences={}, numbers={"harm": Interval(0.2, -0.1, 0.5)})
    sure = check(criterion, means={}, differences={}, numbers={"harm": Interval(0.2, 0.1, 0.3)})
    assert (wide.status, sure.status) == ("not-shown", "works")
    assert sure.clauses[0].seen == Interval(0.2, 0.1, 0.3)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_measured_number_that_is_not_finite_was_not_measured(number: float) -> None:
    """A ratio with nothing below its line would else beat every bar."""
    for clause in (Above(what=measured("ratio"), bar=2), Below(what=measured("ratio"), bar=2)):
        criterion = Criterion(statement="x", clauses=(clause,))
        got = check(criterion, means={}, differences={}, numbers={"ratio": number})
        assert (got.status, got.clauses[0].note) == ("not-shown", "not measured")
        wide = {"ratio": Interval(1.0, float("-inf"), 3.0)}
        assert check(criterion, means={}, differences={}, numbers=wide).status == "not-shown"


def test_a_measured_interval_that_includes_zero_is_no_win_either() -> None:
    criterion = Criterion(statement="x", clauses=(Above(what=measured("gain"), bar=0.1),))
    seen = {"gain": Interval(0.2, -0.1, 0.5)}
    got = check(criterion, means={}, differences={}, numbers=seen)
    assert got.status == "not-shown"
    assert "includes 0" in got.clauses[0].note
    above = {"gain": Interval(0.2, 0.05, 0.5)}
    assert check(criterion, means={}, differences={}, numbers=above).status == "works"
    assert check(criterion, means={}, differences={}, numbers={"gain": 0.2}).status == "works"
