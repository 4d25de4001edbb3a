"""The exact sum: by hand, by its laws, and unlike PEFT's `linear`."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.adapters.algebra import concat, scale, subtract
from skillweave.adapters.delta import Delta

from .deltas import dense, dense_sum, distance, random_delta, size

WEIGHTS = st.floats(-3.0, 3.0, allow_nan=False).map(lambda w: round(w, 3))
MIXES = st.lists(st.tuples(st.integers(0, 99), st.integers(1, 3), WEIGHTS), min_size=1, max_size=4)


def outer(up: list[float], down: list[float], scale: float = 1.0) -> Delta:
    return Delta(torch.tensor([down]), torch.tensor(up)[:, None], scale)


def test_by_hand() -> None:
    a = {"m": outer([1.0, 0.0], [1.0, 2.0], scale=2.0)}
    b = {"m": outer([0.0, 1.0], [3.0, 4.0])}
    sum_ = concat([a, b], [0.5, -1.0])["m"]
    assert (sum_.rank, sum_.scale) == (2, 1.0)
    assert sum_.dense_OI().tolist() == [[1.0, 2.0], [-3.0, -4.0]]


def test_one_hot_is_the_adapter_itself_to_the_last_digit() -> None:
    a, b = random_delta(0), random_delta(1, rank=3)
    one = concat([a, b], [1.0, 0.0])
    for name, module in one.items():
        assert module.rank == a[name].rank
        assert torch.equal(module.dense_OI(), a[name].dense_OI())


@settings(max_examples=30, deadline=None)
@given(MIXES)
def test_it_is_the_sum_whatever_the_order(mix: list[tuple[int, int, float]]) -> None:
    deltas = [random_delta(seed, rank=rank, scale=0.5 * rank) for seed, rank, _ in mix]
    weights = [weight for *_, weight in mix]
    true = dense_sum(deltas, weights)
    bound = 1e-6 * sum(abs(w) * size(dense(d)) for d, w in zip(deltas, weights, strict=True))
    assert distance(dense(concat(deltas, weights)), true) <= bound
    assert distance(dense(concat(deltas[::-1], weights[::-1])), true) <= bound


@settings(max_examples=20, deadline=None)
@given(st.tuples(WEIGHTS, WEIGHTS, WEIGHTS))
def test_it_is_associative(weights: tuple[float, float, float]) -> None:
    a, b, c = (random_delta(seed, rank=seed + 1) for seed in range(3))
    u, v, w = weights
    flat = concat([a, b, c], [u, v, w])
    left = concat([concat([a, b], [u, v]), c], [1.0, w])
    right = concat([a, concat([b, c], [v, w])], [u, 1.0])
    assert distance(dense(left), dense(flat)) <= 1e-4
    assert distance(dense(right), dense(flat)) <= 1e-4


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99), st.integers(0, 99), st.integers(1, 4))
def test_subtract_then_add_restores(seed: int, other: int, rank: int) -> None:
    after, before = random_delta(seed), random_delta(other, rank=rank)
    again = concat([subtract(after, before), before], [1.0, 1.0])
    assert distance(dense(again), dense(after)) <= 1e-5


def test_modules_are_united_and_absent_ones_count_as_zero() -> None:
    a, b = random_delta(0), random_delta(1)
    first, second = a
    mixed = concat([{first: a[first]}, b], [2.0, 1.0])
    assert list(mixed) == [first, second]
    assert torch.equal(mixed[second].dense_OI(), b[second].dense_OI())


def test_all_weights_zero_is_the_zero_adapter_of_rank_one() -> None:
    nothing = concat([random_delta(0)], [0.0])
    assert all(m.rank == 1 and not m.dense_OI().any() for m in nothing.values())


def test_both_factors_have_like_norms() -> None:
    a = {"m": Delta(torch.full((1, 4), 1e-3), torch.full((4, 1), 1e3), 1.0)}
    module = concat([a], [1e-4])["m"]
    ratio = float(module.up_OR.norm() / module.down_RI.norm())
    assert 0.5 <= ratio <= 2.0


@pytest.mark.parametrize(
    ("dtype", "result"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_the_dtype_of_the_result(dtype: torch.dtype, result: torch.dtype) -> None:
    a, b = random_delta(0, dtype=dtype), random_delta(1, dtype=dtype)
    mixed = concat([a, b], [0.5, 0.25])
    assert {m.up_OR.dtype for m in mixed.values()} == {result}
    assert distance(dense(mixed), dense_sum([a, b], [0.5, 0.25])) <= 1e-5


def test_nothing_that_came_in_is_changed() -> None:
    a = random_delta(0)
    copies = {n: (m.down_RI.clone(), m.up_OR.clone()) for n, m in a.items()}
    mixed = concat([a], [1.0])
    for name, module in mixed.items():
        module.up_OR.mul_(0.0)
        module.down_RI.mul_(0.0)
        assert torch.equal(a[name].down_RI, copies[name][0])
        assert torch.equal(a[name].up_OR, copies[name][1])


def test_scale_multiplies_and_shares_factors() -> None:
    a = random_delta(0, scale=2.0)
    half = scale(a, -0.25)
    for name, module in half.items():
        assert module.scale == -0.5
        assert module.up_OR is a[name].up_OR


@pytest.mark.parametrize(
    ("weights", "complaint"),
    [
        ([1.0], "2 adapters and 1 weights"),
        ([1.0, float("nan")], "weight nan: expected a finite number"),
        ([1.0, float("inf")], "weight inf: expected a finite number"),
    ],
)
def test_weights_that_mean_nothing(weights: list[float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        concat([random_delta(0), random_delta(1)], weights)


def test_adapters_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="0 adapters"):
        concat([], [])
    with pytest.raises(ValueError, match="adapter 1 has 0 modules"):
        concat([random_delta(0), {}], [1.0, 1.0])
    other = random_delta(0, shapes={"layers.0.q_proj": (12, 9)})
    with pytest.raises(ValueError, match=r"q_proj: shape \(12, 9\) in adapter 1, \(12, 8\) before"):
        concat([random_delta(0), other], [1.0, 1.0])
    with pytest.raises(ValueError, match="weight nan"):
        scale(random_delta(0), float("nan"))


@pytest.mark.parametrize(("size", "weight"), [(1e60, 1e30), (1e80, 1.0), (1e200, 1e200)])
def test_sums_beyond_the_dtype_are_refused_by_name(size: float, weight: float) -> None:
    with pytest.raises(ValueError, match=r"module layers\.0\.q_proj: .*float32"):
        concat([random_delta(0, scale=size)], [weight])


def test_factors_of_very_unlike_sizes_stay_exact() -> None:
    a = random_delta(0)
    odd = {n: Delta(m.down_RI * 2.0**-90, m.up_OR * 2.0**90, 2.0**60) for n, m in a.items()}
    summed = concat([odd], [2.0**-60])
    assert distance(dense(summed), dense(a)) == 0.0


def test_a_factor_that_is_no_number_is_refused() -> None:
    delta = {"m": Delta(torch.full((1, 2), math.nan), torch.ones(2, 1), 1.0)}
    with pytest.raises(ValueError, match="module m: the result holds NaN or infinity"):
        concat([delta], [1.0])
