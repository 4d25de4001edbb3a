"""The best approximation of lower rank: by hand, against dense SVDs, where Gram must yield."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.adapters.algebra import Energy, concat, scale, subtract, truncate
from skillweave.adapters.algebra.truncate import Method
from skillweave.adapters.delta import AdapterDelta, Delta
from torch import Tensor

from .deltas import dense, distance, random_delta, size

METHODS: tuple[Method, ...] = ("auto", "qr")


def optimum(delta: AdapterDelta, rank: int) -> float:
    """The Eckart-Young distance of the nearest delta of that rank per module, by dense SVDs."""
    tails = (torch.linalg.svdvals(value)[rank:] for value in dense(delta).values())
    return math.sqrt(sum(float(tail.square().sum()) for tail in tails))


@pytest.mark.parametrize("method", [*METHODS, "gram"])
def test_by_hand(method: Method) -> None:
    # orthogonal terms of norms 3 and 4: the larger one stays, 3 of 5 is lost
    delta = {"m": Delta(torch.eye(2, 4), torch.tensor([[3.0, 0.0], [0.0, 4.0], [0.0, 0.0]]), 1.0)}
    result = truncate(delta, rank=1, method=method)
    expected = torch.zeros(3, 4)
    expected[1, 1] = 4.0
    assert torch.allclose(result.delta["m"].dense_OI(), expected, atol=1e-6)
    assert result.errors["m"] == pytest.approx(0.6, rel=1e-9)
    assert result.error == result.errors["m"]
    assert result.delta["m"].rank == 1
    assert result.weighted_error is None


@settings(max_examples=40, deadline=None)
@given(
    seeds=st.lists(st.integers(0, 99), min_size=1, max_size=4),
    ranks=st.lists(st.integers(1, 4), min_size=4, max_size=4),
    target=st.integers(1, 9),
    method=st.sampled_from(METHODS),
)
def test_it_is_optimal_and_says_its_error(
    seeds: list[int], ranks: list[int], target: int, method: Method
) -> None:
    terms = [random_delta(s, rank=r, scale=2.0) for s, r in zip(seeds, ranks, strict=False)]
    delta = concat(terms, [0.7, -1.1, 0.4, 1.0][: len(terms)])  # duplicates among the terms, too
    result = truncate(delta, rank=target, method=method)
    norm = size(dense(delta))
    seen = distance(dense(result.delta), dense(delta))
    assert seen <= optimum(delta, target) * (1 + 1e-5) + 1e-6 * norm
    assert result.error * norm == pytest.approx(seen, abs=2e-6 * norm)
    assert all(m.rank <= target and m.scale == 1.0 for m in result.delta.values())


def test_a_gram_result_is_the_qr_result() -> None:
    delta = concat([random_delta(s, rank=2) for s in range(3)], [1.0, -0.5, 2.0])
    by_gram, by_qr = (truncate(delta, rank=2, method=m) for m in ("gram", "qr"))
    assert set(by_gram.methods.values()) == {"gram"}
    assert set(by_qr.methods.values()) == {"qr"}
    assert by_gram.error == pytest.approx(by_qr.error, rel=1e-10)
    assert distance(dense(by_gram.delta), dense(by_qr.delta)) <= 1e-5


def near_copies(gap: float) -> AdapterDelta:
    """Two terms whose factors differ by `gap`: both Grams have condition `1 / gap^2`."""
    a, b = random_delta(0, rank=2), random_delta(1, rank=2)
    close = {
        n: Delta(m.down_RI + gap * b[n].down_RI, m.up_OR + gap * b[n].up_OR, 1.0)
        for n, m in a.items()
    }
    wide = {n: Delta(m.down_RI.double(), m.up_OR.double(), 1.0) for n, m in close.items()}
    return concat([a, wide], [1.0, 0.5])


@pytest.mark.parametrize("gap", [1e-5, 1e-7, 0.0])
def test_dependent_factors_are_left_to_the_qr(gap: float) -> None:
    delta = near_copies(gap)
    result = truncate(delta, rank=1)
    assert set(result.methods.values()) == {"qr"}
    assert distance(dense(result.delta), dense(delta)) <= optimum(delta, 1) * (1 + 1e-5)
    with pytest.raises(ValueError, match="too dependent"):
        truncate(delta, rank=1, method="gram")


def test_what_the_gram_accepts_is_optimal() -> None:
    delta = near_copies(1e-3)
    result = truncate(delta, rank=1, method="gram")
    assert distance(dense(result.delta), dense(delta)) <= optimum(delta, 1) * (1 + 1e-5)


def test_an_error_too_small_for_the_gram_is_left_to_the_qr() -> None:
    big, small = random_delta(0, dtype=torch.float64), random_delta(1, dtype=torch.float64)
    delta = concat([big, small], [1.0, 1e-9])
    result = truncate(delta, rank=2)
    assert set(result.methods.values()) == {"qr"}
    assert result.error * size(dense(delta)) == pytest.approx(optimum(delta, 2), rel=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_a_rank_that_is_there_already_changes_nothing(method: Method) -> None:
    delta = random_delta(0, rank=2, scale=2.0)
    result = truncate(delta, rank=2, method=method)
    assert result.error == 0.0
    assert all(torch.equal(result.delta[n].dense_OI(), m.dense_OI()) for n, m in delta.items())


def test_exact_finds_the_numerical_rank() -> None:
    a, b = random_delta(0, rank=3), random_delta(1, rank=2)
    again = truncate(concat([a, b, a], [0.5, 1.0, 2.0]), rank="exact")
    assert {m.rank for m in again.delta.values()} == {5}
    assert again.error <= 1.2e-7
    vector = truncate(subtract(concat([a, b], [1.0, 1.0]), a), rank="exact").delta
    assert {m.rank for m in vector.values()} == {2}
    assert distance(dense(vector), dense(b)) <= 1e-5


def test_exact_on_what_cancels_is_zero_of_rank_one() -> None:
    nothing = truncate(subtract(random_delta(0), random_delta(0)), rank="exact")
    assert all(m.rank == 1 and not m.dense_OI().any() for m in nothing.delta.values())
    assert nothing.error == 0.0


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99, 1.0])
def test_energy_keeps_the_smallest_rank_that_suffices(share: float) -> None:
    delta = concat([random_delta(s) for s in range(3)], [1.0, 1.0, 1.0])
    result = truncate(delta, rank=Energy(share))
    for name, value in dense(delta).items():
        energies = torch.linalg.svdvals(value).square()
        kept = energies.cumsum(0) / energies.sum()
        assert result.delta[name].rank == int((kept < share - 1e-9).sum()) + 1
        assert result.errors[name] <= math.sqrt(1 - share) + 1e-6


def test_a_rank_above_both_sides_of_the_module() -> None:
    shapes = {"m": (4, 3)}
    delta = concat([random_delta(s, rank=2, shapes=shapes) for s in range(4)], [1.0] * 4)
    result = truncate(delta, rank=7)
    assert result.delta["m"].rank == 3
    assert distance(dense(result.delta), dense(delta)) <= 1e-5


def test_zero_factors_and_mixed_ranks_in_one_call() -> None:
    shapes = {"a": (6, 5), "b": (6, 5), "c": (6, 5)}
    delta = dict(random_delta(0, rank=3, shapes=shapes))
    delta["b"] = Delta(
        torch.randn(2, 5, generator=torch.Generator().manual_seed(0)), torch.zeros(6, 2), 1.0
    )
    result = truncate(delta, rank=1)
    assert list(result.delta) == ["a", "b", "c"]
    assert result.errors["b"] == 0.0
    assert not result.delta["b"].dense_OI().any()
    assert result.errors["a"] > 0.0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_comes_out_as_float32(dtype: torch.dtype) -> None:
    delta = random_delta(0, rank=4, dtype=dtype)
    result = truncate(delta, rank=2)
    assert {m.up_OR.dtype for m in result.delta.values()} == {torch.float32}
    assert distance(dense(result.delta), dense(delta)) <= optimum(delta, 2) * (1 + 1e-5)


def test_a_scale_is_part_of_the_delta() -> None:
    delta = random_delta(0, rank=4)
    doubled, plain = truncate(scale(delta, -2.0), rank=2), truncate(delta, rank=2)
    assert doubled.error == pytest.approx(plain.error)
    assert distance(dense(doubled.delta), dense(scale(plain.delta, -2.0))) <= 1e-5


def test_both_factors_are_of_like_scale() -> None:
    result = truncate(random_delta(0, rank=4, scale=100.0), rank=2)
    for module in result.delta.values():
        norms = module.up_OR.norm(dim=0), module.down_RI.norm(dim=1)
        assert torch.allclose(norms[0], norms[1], rtol=1e-4)


def moments(delta: AdapterDelta, seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    found = {}
    for name, module in delta.items():
        inputs = torch.randn(50, module.shape[1], generator=generator)
        inputs *= torch.logspace(0, -2, module.shape[1])
        found[name] = inputs.mT @ inputs / 50
    return found


@pytest.mark.parametrize("diagonal", [False, True])
def test_weighted_by_inputs_is_optimal_in_their_norm(diagonal: bool) -> None:
    delta = random_delta(3, rank=4)
    given = moments(delta, 0)
    if diagonal:
        given = {name: value.diagonal() for name, value in given.items()}
    result = truncate(delta, rank=2, activations=given)
    plain = truncate(delta, rank=2)
    assert result.weighted_errors is not None
    for name, value in dense(delta).items():
        full = torch.diag(given[name]) if diagonal else given[name]
        energies, vectors = torch.linalg.eigh(full.double())
        root = vectors * energies.clamp(min=0).sqrt()
        best = float(torch.linalg.svdvals(value @ root)[2:].norm())
        lost = value - dense(result.delta)[name]
        lost_plain = value - dense(plain.delta)[name]
        assert float((lost @ root).norm()) == pytest.approx(best, rel=1e-4)
        assert best < float((lost_plain @ root).norm())
        norm, seen = float(value.norm()), float((value @ root).norm())
        assert result.errors[name] == pytest.approx(float(lost.norm()) / norm, rel=1e-4)
        assert result.weighted_errors[name] == pytest.approx(best / seen, rel=1e-4)
    assert result.error > plain.error  # what it pays in the plain norm


def test_white_inputs_change_nothing() -> None:
    delta = random_delta(3, rank=4)
    given = {name: torch.ones(module.shape[1]) for name, module in delta.items()}
    weighted, plain = truncate(delta, rank=2, activations=given), truncate(delta, rank=2)
    assert weighted.weighted_error == pytest.approx(plain.error)
    assert distance(dense(weighted.delta), dense(plain.delta)) <= 1e-5


def test_activations_that_do_not_fit() -> None:
    delta = random_delta(0, rank=3)
    first, second = delta
    good = {name: torch.ones(module.shape[1]) for name, module in delta.items()}
    with pytest.raises(ValueError, match="no activations for 1 of 2 modules"):
        truncate(delta, rank=1, activations={first: good[first]})
    for bad, complaint in [
        (torch.ones(3), r"shape \(3,\)"),
        (-good[second], "negative energy"),
        (torch.full_like(good[second], math.nan), "NaN"),
        (torch.ones(20, 20).triu(), "not symmetric"),
        (-torch.eye(20), "negative energy"),
    ]:
        with pytest.raises(ValueError, match=complaint):
            truncate(delta, rank=1, activations=good | {second: bad})


@pytest.mark.parametrize(
    ("rank", "complaint"), [(0, "rank is 0"), (-1, "rank is -1"), ("half", "rank is 'half'")]
)
def test_ranks_that_mean_nothing(rank: int, complaint: str) -> None:
    with pytest.raises((ValueError, TypeError), match=complaint if rank != "half" else None):
        truncate(random_delta(0), rank=rank)


def test_a_share_of_energy_lies_between_zero_and_one() -> None:
    for share in (0.0, 1.5, math.nan):
        with pytest.raises(ValueError, match="share of energy is"):
            Energy(share)


def test_a_value_that_is_not_finite_is_named() -> None:
    delta = dict(random_delta(0, rank=3))
    name = next(iter(delta))
    bad = delta[name].down_RI.clone()
    bad[0, 0] = math.inf
    delta[name] = Delta(bad, delta[name].up_OR, 1.0)
    with pytest.raises(ValueError, match=f"{name}: a value is NaN or infinite"):
        truncate(delta, rank=1)


def test_nothing_that_came_in_is_changed() -> None:
    delta = random_delta(0, rank=3)
    before = {n: (m.down_RI.clone(), m.up_OR.clone()) for n, m in delta.items()}
    for rank in (1, 3, Energy(0.9)):
        for module in truncate(delta, rank=rank).delta.values():
            module.up_OR.zero_()
    assert all(torch.equal(m.up_OR, before[n][1]) for n, m in delta.items())
    assert all(torch.equal(m.down_RI, before[n][0]) for n, m in delta.items())


def test_a_result_beyond_float32_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"module layers\.0\.q_proj: .*float32"):
        truncate(random_delta(0, scale=1e80), rank=1)
