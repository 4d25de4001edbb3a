"""Hand-worked numbers and laws of the clustered statistics."""

import math

import numpy as np
import pytest
from skillweave.distill.evaluation import (
    Discordant,
    EvaluationError,
    clustered_mean,
    clustered_p_value,
    discordant,
    mcnemar_exact,
    paired_difference,
    two_stage_mean,
)
from skillweave.distill.evaluation.resampling import cluster_means, grouped
from skillweave.distill.evaluation.stats import stretch


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_mean_is_over_items_and_not_over_clusters() -> None:
    got = clustered_mean([1, 0, 0, 0], ["a", "b", "b", "b"], rng=rng())
    assert got.estimate == 0.25


def test_with_one_cluster_the_interval_is_the_plain_bootstrap_of_its_items() -> None:
    # mean of n binary draws: standard error sqrt(p (1 - p) / n)
    values = [1.0] * 60 + [0.0] * 40
    got = clustered_mean(values, ["only"] * 100, rng=rng())
    half = 1.96 * math.sqrt(0.6 * 0.4 / 100)
    assert got.low == pytest.approx(0.6 - half, abs=0.011)
    assert got.high == pytest.approx(0.6 + half, abs=0.011)


def test_two_clusters_of_constant_values_give_the_three_means_of_cluster_resampling() -> None:
    # drawn clusters are (a,a), (a,b), (b,a), (b,b): means 0, 0.5, 0.5, 1
    got = clustered_mean([0, 0, 1, 1], ["a", "a", "b", "b"], rng=rng())
    assert (got.low, got.estimate, got.high) == (0.0, 0.5, 1.0)


def test_clusters_that_differ_widen_the_interval() -> None:
    values = [1.0] * 50 + [0.0] * 50
    clusters = ["a"] * 50 + ["b"] * 50
    apart = clustered_mean(values, clusters, rng=rng())
    mixed = clustered_mean(values, clusters[::2] * 2, rng=rng())
    assert apart.high - apart.low > 2 * (mixed.high - mixed.low)


def test_identical_arms_differ_by_exactly_nothing() -> None:
    a = rng(3).random(90) < 0.4
    clusters = [f"s{i % 3}" for i in range(90)]
    got = paired_difference(a, a, clusters_N=clusters, rng=rng())
    assert (got.estimate, got.low, got.high) == (0.0, 0.0, 0.0)


def test_pairing_removes_what_is_hard_for_both_arms() -> None:
    # a passes the even items and item 1; b passes the even items: one discordant pair in 100
    b = [i % 2 == 0 for i in range(100)]
    a = [passed or i == 1 for i, passed in enumerate(b)]
    got = paired_difference(a, b, clusters_N=["s"] * 100, rng=rng())
    assert got.estimate == pytest.approx(0.01)
    assert got.low == 0.0
    assert got.high <= 0.04


def test_swapping_the_arms_mirrors_the_interval() -> None:
    a, b = rng(1).random(60) < 0.7, rng(2).random(60) < 0.5
    clusters = [f"s{i // 20}" for i in range(60)]
    there = paired_difference(a, b, clusters_N=clusters, rng=rng(5))
    back = paired_difference(b, a, clusters_N=clusters, rng=rng(6))
    assert back.estimate == -there.estimate
    assert back.low == pytest.approx(-there.high, abs=0.03)


def test_the_same_generator_state_gives_the_same_interval() -> None:
    values, clusters = rng(1).random(48), [f"s{i % 12}" for i in range(48)]
    first = clustered_mean(values, clusters, rng=rng(9))
    assert first == clustered_mean(values, clusters, rng=rng(9))
    assert first != clustered_mean(values, clusters, rng=rng(10))


def test_the_order_of_items_does_not_change_the_interval() -> None:
    values, clusters = [0.0, 1.0, 1.0, 0.5], ["a", "a", "b", "b"]
    forward = clustered_mean(values, clusters, rng=rng())
    assert forward == clustered_mean(values[::-1], clusters[::-1], rng=rng())


@pytest.mark.slow
def test_the_interval_covers_a_known_effect_about_as_often_as_it_says() -> None:
    draw, effect, covered = rng(0), 0.3, 0
    clusters = [f"s{i // 40}" for i in range(12 * 40)]
    for _ in range(200):
        lift_C = np.repeat(draw.normal(effect, 0.1, 12), 40)
        a, b = draw.random(480) < 0.4 + lift_C, draw.random(480) < 0.4
        got = paired_difference(a, b, clusters_N=clusters, rng=draw, num_resamples=500)
        covered += got.low <= effect <= got.high
    assert 0.91 <= covered / 200 <= 0.995


@pytest.mark.slow
def test_few_skills_that_differ_much_get_the_width_that_so_few_deserve() -> None:
    # the mean of four draws has an interval of t(3) standard errors, not of 1.96 or fewer
    draw, old, new = rng(0), 0, 0
    clusters = [f"s{i // 200}" for i in range(800)]
    for _ in range(300):
        lift = np.repeat(draw.normal(0.0, 0.15, 4), 200)
        values = (draw.random(800) < 0.5 + lift).astype(float)
        two_stage = two_stage_mean(values, clusters, rng=draw, num_resamples=400)
        corrected = clustered_mean(values, clusters, rng=draw, num_resamples=400)
        old += two_stage.low <= 0.5 <= two_stage.high
        new += corrected.low <= 0.5 <= corrected.high
    assert old / 300 < 0.89
    assert 0.92 <= new / 300 <= 0.99


def test_an_interval_stays_inside_the_range_of_the_values() -> None:
    got = clustered_mean([1, 1, 1, 0], ["a", "a", "b", "b"], rng=rng())
    assert (got.low, got.high) == (0.0, 1.0)


def test_clusters_that_agree_by_chance_leave_the_doubt_about_their_items() -> None:
    got = clustered_mean([1, 0] * 30, [f"s{i // 2 % 3}" for i in range(60)], rng=rng())
    assert got.high - got.low == pytest.approx(2 * 1.96 * math.sqrt(0.25 / 60), abs=0.03)


def test_the_p_value_of_clusters_is_that_of_a_t_test_on_their_means() -> None:
    # means 0.2, 0.4, 0.6: 0.4 / (0.2 / sqrt 3) = 3.4641, and P(|t(2)| > 3.4641) = 0.0742
    values = [0.2, 0.2, 0.4, 0.4, 0.6, 0.6]
    clusters = ["a", "a", "b", "b", "c", "c"]
    assert clustered_p_value(values, clusters) == pytest.approx(0.0742, abs=1e-4)
    assert clustered_p_value([-v for v in values], clusters) == clustered_p_value(values, clusters)


def test_the_p_value_of_one_cluster_is_that_of_its_items() -> None:
    # 60 differences, ten of them 1: error sqrt(60 * 1/6 * 5/6) / 60, z = 3.4641
    values = [1.0] * 10 + [0.0] * 50
    assert clustered_p_value(values, ["s"] * 60) == pytest.approx(5.32e-4, rel=0.01)
    assert clustered_p_value([0.0] * 5, ["s"] * 5) == 1.0


def test_an_interval_never_covers_an_effect_that_is_far_away() -> None:
    draw = rng(4)
    clusters = [f"s{i // 40}" for i in range(240)]
    a, b = draw.random(240) < 0.9, draw.random(240) < 0.2
    assert paired_difference(a, b, clusters_N=clusters, rng=draw).low > 0.5


def test_discordant_counts_pairs_that_only_one_arm_passed() -> None:
    got = discordant([True, True, False, False, True], [True, False, True, False, False])
    assert got == Discordant(only_a=2, only_b=1)


@pytest.mark.parametrize(
    ("counts", "p"),
    [
        ((0, 0), 1.0),
        ((1, 0), 1.0),  # 2 * 1/2
        ((5, 0), 0.0625),  # 2 / 2^5
        ((8, 1), 0.0390625),  # 2 * (1 + 9) / 2^9
        ((3, 3), 1.0),
    ],
)
def test_mcnemar_is_the_two_sided_binomial_tail(counts: tuple[int, int], p: float) -> None:
    assert mcnemar_exact(Discordant(*counts)) == p
    assert mcnemar_exact(Discordant(*counts[::-1])) == p


def test_mcnemar_survives_thousands_of_disagreements() -> None:
    assert 0.0 <= mcnemar_exact(Discordant(3000, 100)) < 1e-300


@pytest.mark.parametrize(
    ("values", "clusters", "said"),
    [
        ([], [], "at least one item"),
        ([1.0], ["a", "b"], "one cluster for each"),
        ([float("nan")], ["a"], "NaN"),
    ],
)
def test_bad_input_is_refused(values: list[float], clusters: list[str], said: str) -> None:
    with pytest.raises(EvaluationError, match=said):
        clustered_mean(values, clusters, rng=rng())


def test_unequal_arms_are_refused() -> None:
    with pytest.raises(EvaluationError, match="same items"):
        paired_difference([1, 0], [1], clusters_N=["a", "a"], rng=rng())
    with pytest.raises(EvaluationError, match="not matched"):
        discordant([True], [])


def test_a_level_outside_zero_and_one_is_refused() -> None:
    with pytest.raises(EvaluationError, match=r"level=1\.5"):
        clustered_mean([1.0], ["a"], rng=rng(), level=1.5)


@pytest.mark.slow
def test_many_clusters_are_drawn_in_parts_and_the_parts_change_nothing() -> None:
    groups = [np.array([float(number % 7)]) for number in range(4000)]
    times_BC = rng(3).multinomial(4000, np.full(4000, 1 / 4000), size=1100)
    by_hand = times_BC @ np.array([group[0] for group in groups]) / 4000
    assert cluster_means(groups, rng=rng(3), num_resamples=1100) == pytest.approx(by_hand)


def test_groups_are_in_order_of_their_names_and_hold_their_values_in_order() -> None:
    values, groups = grouped([1.0, 2, 3, 4, 5], ["b", "a", "b", "c", "a"])
    assert values.tolist() == [1, 2, 3, 4, 5]
    assert [group.tolist() for group in groups] == [[2, 5], [1, 3], [4]]


@pytest.mark.parametrize(("num_clusters", "by_hand"), [(2, 9.1682), (4, 1.87492), (10_000, 1.0)])
def test_the_stretch_is_students_quantile_over_the_normal_one_and_the_lost_degree(
    num_clusters: int, by_hand: float
) -> None:
    # C = 2: 12.7062 / 1.95996 * sqrt(2); C = 4: 3.18245 / 1.95996 * sqrt(4 / 3)
    assert stretch(num_clusters, 0.95) == pytest.approx(by_hand, rel=2e-4)


def test_the_interval_of_few_clusters_is_the_stretched_one() -> None:
    """Four skills at 0.3, 0.5, 0.5, 0.7: a resampled mean is 0.5 + 0.05 k with k + 4 the heads of
    eight coins, so 2.5 % of them lie from k = 3 on: 0.15 away, stretched."""
    values, clusters = [], []
    for name, passed in zip("abcd", (300, 500, 500, 700), strict=True):
        values += [1.0] * passed + [0.0] * (1000 - passed)
        clusters += [name] * 1000
    got = clustered_mean(values, clusters, rng=rng(1))
    half = (got.high - got.low) / 2
    assert half == pytest.approx(1.87492 * 0.15, rel=1e-4)
