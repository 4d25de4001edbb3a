"""Student's t against its printed table."""

import math

import pytest
from skillweave.distill.evaluation import EvaluationError
from skillweave.distill.evaluation.student import student_cdf, student_quantile


@pytest.mark.parametrize(
    ("df", "t"),
    [(1, 12.7062), (2, 4.3027), (3, 3.1824), (5, 2.5706), (11, 2.2010), (30, 2.0423)],
)
def test_the_quantiles_are_those_of_the_table(df: int, t: float) -> None:
    assert student_quantile(0.975, df) == pytest.approx(t, abs=5e-5)
    assert student_quantile(0.025, df) == -student_quantile(0.975, df)


def test_one_degree_of_freedom_is_cauchy_and_many_are_normal() -> None:
    assert student_cdf(2.0, 1) == pytest.approx(0.5 + math.atan(2.0) / math.pi)
    assert student_quantile(0.975, 20_000) == pytest.approx(1.95996, abs=2e-4)


@pytest.mark.parametrize("df", [1, 2, 3, 8, 29])
def test_the_distribution_is_even_about_nothing_and_its_quantile_its_inverse(df: int) -> None:
    for t in (0.1, 1.0, 4.0):
        assert student_cdf(-t, df) == pytest.approx(1 - student_cdf(t, df))
        assert student_quantile(student_cdf(t, df), df) == pytest.approx(t)


def test_what_is_no_share_or_no_degree_is_refused() -> None:
    with pytest.raises(EvaluationError, match="df=0"):
        student_cdf(1.0, 0)
    with pytest.raises(EvaluationError, match=r"share=1\.0"):
        student_quantile(1.0, 3)
