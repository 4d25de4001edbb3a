"""Which skills go into a prompt."""

from hypothesis import given
from hypothesis import strategies as st
from skillweave.distill.bank import Candidate, Observation, SkillBank, fit

from .samples import create, text


def one(name: str, tokens: int, utility: float | None) -> Candidate:
    return Candidate(text(name), tokens, utility)


def test_measured_before_unmeasured_and_nothing_that_hurts() -> None:
    rows = [one("new", 3, None), one("good", 5, 0.4), one("bad", 1, -0.1), one("best", 9, 0.6)]
    assert fit(rows, 20).names == ("best", "good", "new")
    assert fit(rows, 10).names == ("best",)
    assert fit(rows, 8) == fit(rows[:2], 8)
    assert fit(rows, 8).tokens == 8
    assert fit(rows, 0).names == ()


def test_ties_go_to_the_shorter() -> None:
    assert fit([one("b", 4, 0.1), one("a", 4, 0.1), one("c", 2, 0.1)], 6).names == ("c", "a")


CANDIDATES = st.lists(st.tuples(st.integers(0, 9), st.none() | st.floats(-1, 1)), max_size=8).map(
    lambda rows: [one(f"s{i}", tokens, u) for i, (tokens, u) in enumerate(rows)]
)


@given(CANDIDATES, st.integers(0, 30))
def test_it_fits_leaves_no_room_and_ignores_order(rows: list[Candidate], budget: int) -> None:
    chosen = fit(rows, budget)
    assert chosen.tokens == sum(c.tokens for c in chosen.chosen) <= budget
    left = [c for c in rows if c not in chosen.chosen and (c.utility is None or c.utility > 0)]
    assert all(c.tokens > budget - chosen.tokens for c in left)
    assert fit(rows[::-1], budget) == chosen


def test_a_bank_fits_by_what_it_observed() -> None:
    bank = SkillBank()
    for name in ("a", "b"):
        bank.apply(create(name, f"1. Do {name}."))
    bank.observe("b", Observation(utility=0.3))
    assert bank.fit(100, count_tokens=len).names == ("b", "a")
    assert bank.fit(9, count_tokens=len).names == ("b",)
