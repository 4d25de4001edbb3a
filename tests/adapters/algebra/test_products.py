"""Inner products and fitted weights: by hand, against dense matrices, where terms cancel."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.adapters.algebra import (
    concat,
    cosine,
    cosines,
    fit_weights,
    gram,
    inner,
    module_cosines,
    module_norms,
    norm,
    products,
    scale,
    subtract,
)
from skillweave.adapters.delta import AdapterDelta, Delta

from .deltas import dense, random_delta, size


def dense_inner(a: AdapterDelta, b: AdapterDelta) -> float:
    left, right = dense(a), dense(b)
    return sum(float((left[n] * right[n]).sum()) for n in left if n in right)


def test_by_hand() -> None:
    a = {"m": Delta(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0], [0.0]]), 2.0)}  # [[2, 4], 0]
    b = {"m": Delta(torch.tensor([[3.0, 1.0]]), torch.tensor([[1.0], [1.0]]), 1.0)}  # rows [3, 1]
    assert inner(a, b) == 2 * 3 + 4 * 1
    assert norm(a) == pytest.approx(math.sqrt(20.0))
    assert cosine(a, b) == pytest.approx(10 / math.sqrt(20.0 * 20.0))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 99), st.integers(0, 99), st.integers(1, 4), st.floats(0.25, 4.0))
def test_they_equal_the_dense_ones(seed: int, other: int, rank: int, factor: float) -> None:
    a, b = random_delta(seed, scale=factor), random_delta(other, rank=rank)
    norms = size(dense(a)) * size(dense(b))
    assert inner(a, b) == pytest.approx(dense_inner(a, b), abs=1e-9 * norms)
    assert norm(a) == pytest.approx(size(dense(a)), rel=1e-9)
    assert cosine(a, b) == pytest.approx(dense_inner(a, b) / norms, abs=1e-9)


def test_all_pairs_at_once_with_modules_that_only_some_have() -> None:
    deltas = [random_delta(s, rank=1 + s % 3, scale=1.0 + s) for s in range(5)]
    first = next(iter(deltas[1]))
    deltas[1] = {first: deltas[1][first]}
    deltas.append(scale(deltas[0], 0.0))
    pairs = gram(deltas)
    cosines_NN = cosines(deltas)
    for i, a in enumerate(deltas):
        for j, b in enumerate(deltas):
            assert float(pairs[i, j]) == pytest.approx(dense_inner(a, b), abs=1e-6)
            assert float(cosines_NN[i, j]) == pytest.approx(cosine(a, b), abs=1e-9)


def test_panels_of_any_size_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    deltas = [random_delta(s, rank=3) for s in range(5)]
    whole = gram(deltas)
    monkeypatch.setattr(products, "_PANEL", 4)
    assert torch.allclose(gram(deltas), whole)


def test_per_module() -> None:
    a, b = random_delta(0), random_delta(1)
    first = next(iter(a))
    only = {first: b[first]}
    assert module_cosines(a, only) == {first: cosine({first: a[first]}, only)}
    assert math.hypot(*module_norms(a).values()) == pytest.approx(norm(a))


def test_a_norm_that_cancels_is_still_known() -> None:
    a = random_delta(0, dtype=torch.float64)
    close = concat([a, random_delta(1, dtype=torch.float64)], [1.0, 1e-9])
    assert norm(subtract(close, a)) == pytest.approx(1e-9 * norm(random_delta(1)), rel=1e-4)


def test_a_zero_adapter_has_cosine_zero() -> None:
    assert cosine(random_delta(0), scale(random_delta(1), 0.0)) == 0.0


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"shape \(12, 9\) in adapter 1"):
        inner(random_delta(0), random_delta(0, shapes={"layers.0.q_proj": (12, 9)}))


def test_fitted_weights_are_found_again() -> None:
    parts = [random_delta(s, rank=s + 1) for s in range(3)]
    fitted = fit_weights(concat(parts, [0.5, -2.0, 1.25]), parts)
    assert fitted.weights == pytest.approx((0.5, -2.0, 1.25), abs=1e-5)
    assert fitted.residual <= 1e-6


def test_the_residual_is_what_cannot_be_reached() -> None:
    a = {"m": Delta(torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0], [4.0]]), 1.0)}
    b = {"m": Delta(torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0], [0.0]]), 1.0)}
    fitted = fit_weights(a, [b])
    assert fitted.weights == pytest.approx((3.0,))
    assert fitted.residual == pytest.approx(0.8)


def test_dependent_candidates_share_their_weight() -> None:
    a = random_delta(0)
    fitted = fit_weights(scale(a, 2.0), [a, a, scale(a, 0.0)])
    assert fitted.weights == pytest.approx((1.0, 1.0, 0.0), abs=1e-9)


def test_ridge_shrinks_relative_to_the_candidate() -> None:
    a = random_delta(0)
    assert fit_weights(a, [a], ridge=0.25).weights == pytest.approx((0.8,))
    assert fit_weights(a, [scale(a, 10.0)], ridge=0.25).weights == pytest.approx((0.08,))


def test_fits_that_mean_nothing() -> None:
    with pytest.raises(ValueError, match="0 candidates"):
        fit_weights(random_delta(0), [])
    with pytest.raises(ValueError, match=r"ridge is -1.0"):
        fit_weights(random_delta(0), [random_delta(1)], ridge=-1.0)


def test_the_cosine_of_a_difference_that_cancels() -> None:
    a = random_delta(0, dtype=torch.float64)
    more = {n: Delta(m.down_RI, m.up_OR * (1 + 1e-8), 1.0) for n, m in a.items()}
    x = subtract(more, a)  # 1e-8 a
    assert cosine(x, a) == pytest.approx(1.0, abs=1e-6)
    assert cosines([x, a])[0].tolist() == pytest.approx([1.0, 1.0], abs=1e-6)
    assert float(gram([x])[0, 0]) == pytest.approx(norm(x) ** 2)


@pytest.mark.parametrize("size", [1e-160, 1e160])
def test_a_cosine_knows_no_size(size: float) -> None:
    a, b = random_delta(0, scale=size), random_delta(1, scale=size)
    usual = [random_delta(0), random_delta(1)]
    assert cosine(a, b) == pytest.approx(cosine(*usual))
    assert module_cosines(a, b) == pytest.approx(module_cosines(*usual))
    assert float(cosines([a, b])[0, 1]) == pytest.approx(cosine(*usual))
    assert norm(a) == pytest.approx(size * norm(usual[0]))
