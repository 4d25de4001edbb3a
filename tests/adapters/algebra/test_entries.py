"""Merges that act on entries: thresholds, elections and the sketch, by hand and by sorting."""

import math
from collections.abc import Callable, Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.adapters.algebra import (
    Truncated,
    dare,
    element_graft,
    magnitude,
    row_blocks,
    thresholds,
    ties,
)
from skillweave.adapters.algebra.elections import elected_mean
from skillweave.adapters.algebra.range_finder import leading_part
from skillweave.adapters.algebra.row_blocks import TrueDeltas
from skillweave.adapters.algebra.thresholds import magnitude_thresholds
from skillweave.adapters.delta import AdapterDelta, Delta
from torch import Tensor

from .deltas import dense, distance, random_delta, size


def full(*values: list[float]) -> AdapterDelta:
    """A delta with these rows as its entries."""
    return {"m": Delta(torch.tensor(list(values)), torch.eye(len(values)), 1.0)}


def test_ties_by_hand() -> None:
    a = full([5.0, -1.0, 4.0, 0.5])
    b = full([-2.0, 3.0, 6.0, 0.1])
    # the two largest of each: [5, 0, 4, 0] and [0, 3, 6, 0]; every sign is +; means over voters
    merged = ties([a, b], [1.0, 0.5], density=0.5, rank=1).delta["m"].dense_OI()
    assert torch.allclose(merged, torch.tensor([[5.0, 1.5, (4.0 + 3.0) / 2, 0.0]]), atol=1e-5)


def test_magnitude_by_hand() -> None:
    a, b = full([5.0, -1.0, 4.0, 0.5]), full([-2.0, 3.0, 6.0, 0.1])
    merged = magnitude([a, b], [1.0, -1.0], density=0.5, rank=1).delta["m"].dense_OI()
    assert torch.allclose(merged, torch.tensor([[5.0, -3.0, -2.0, 0.0]]), atol=1e-5)


def test_dare_keeps_what_the_generator_says_and_rescales() -> None:
    a = full([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    merged = dare([a], [0.5], density=0.25, rank=1, generator=torch.Generator().manual_seed(2))
    kept = torch.rand(1, 8, generator=torch.Generator().manual_seed(2)) < 0.25
    expected = 0.5 * a["m"].dense_OI() * kept / 0.25
    assert 0 < int(kept.sum()) < 8
    assert torch.allclose(merged.delta["m"].dense_OI(), expected, atol=1e-5)


@pytest.mark.parametrize(("election", "expected"), [("total", 3.0), ("frequency", -1.5)])
def test_elections_by_hand(election: str, expected: float) -> None:
    block = torch.tensor([[[3.0]], [[-1.0]], [[-1.0]]])
    weights = torch.tensor([1.0, 1.0, 2.0])
    value = elected_mean(block, weights, "total" if election == "total" else "frequency")
    assert value.item() == expected


def test_a_draw_elects_plus_and_zeros_do_not_vote() -> None:
    block = torch.tensor([[[2.0, 0.0]], [[-2.0, 0.0]]])
    assert elected_mean(block, torch.ones(2), "total").tolist() == [[2.0, 0.0]]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 99),
    density=st.floats(0.001, 1.0),
    rank=st.integers(1, 3),
    scale=st.sampled_from([1.0, -0.7, 4.0]),
)
def test_thresholds_are_those_of_sorting(
    seed: int, density: float, rank: int, scale: float
) -> None:
    module = random_delta(seed, rank=rank, scale=scale)["layers.0.q_proj"]
    true = TrueDeltas([module, module])
    magnitudes = module.dense_OI().abs().flatten().sort(descending=True).values
    kept = int(density * len(magnitudes))
    expected = math.inf if kept == 0 else float(magnitudes[kept - 1])
    for found in magnitude_thresholds(true, density):
        assert found == pytest.approx(expected if density < 1.0 else 0.0, rel=1e-5)


def test_a_threshold_that_the_first_guess_misses_is_still_exact(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(thresholds, "_SAMPLE", 3)
    monkeypatch.setattr(thresholds, "_FIRST_WIDTH", 1e-4)
    module = random_delta(7, rank=3)["layers.0.q_proj"]
    (found,) = magnitude_thresholds(TrueDeltas([module]), 0.4)
    magnitudes = module.dense_OI().abs().flatten().sort(descending=True).values
    assert found == pytest.approx(float(magnitudes[int(0.4 * 96) - 1]), rel=1e-6)


@pytest.mark.parametrize("elements", [1, 64, 10**6])
def test_the_height_of_a_block_changes_nothing(
    elements: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    deltas, weights = [random_delta(s, scale=0.3) for s in range(3)], [1.0, -0.5, 0.25]

    def merged() -> list[dict[str, Tensor]]:
        generator = torch.Generator().manual_seed(0)
        return [
            dense(ties(deltas, weights, density=0.5, rank=8).delta),
            dense(dare(deltas, weights, density=0.5, rank=8, generator=generator).delta),
        ]

    before = merged()
    monkeypatch.setattr(row_blocks, "_BLOCK_ELEMENTS", elements)
    for one, other in zip(before, merged(), strict=True):
        assert distance(one, other) <= 1e-5 * size(one)


def test_density_one_prunes_nothing() -> None:
    deltas, weights = [random_delta(0), random_delta(1)], [1.0, -0.5]
    true = {
        n: sum(w * dense(d)[n] for d, w in zip(deltas, weights, strict=True)) for n in deltas[0]
    }
    generator = torch.Generator().manual_seed(0)
    untouched = generator.get_state()
    for merged in (
        magnitude(deltas, weights, density=1.0, rank=8),
        dare(deltas, weights, density=1.0, rank=8, generator=generator),
    ):
        assert distance(dense(merged.delta), true) <= 1e-4
    assert torch.equal(generator.get_state(), untouched)


def test_a_density_that_keeps_no_entry_gives_zero() -> None:
    merged = ties([random_delta(0)], [1.0], density=1e-6, rank=2)
    assert all(m.rank == 1 and not m.dense_OI().any() for m in merged.delta.values())
    assert merged.error == 0.0


@pytest.mark.parametrize("rank", [1, 5, 12])
def test_the_sketch_finds_the_leading_part(rank: int) -> None:
    generator = torch.Generator().manual_seed(0)
    left, right = torch.randn(30, 6, generator=generator), torch.randn(6, 25, generator=generator)
    matrix = left @ right + 0.3 * torch.randn(30, 25, generator=generator)

    def rows() -> Iterator[tuple[slice, Tensor]]:
        for start in range(0, 30, 7):
            yield slice(start, min(30, start + 7)), matrix[start : start + 7]

    start = torch.randn(25, rank + 8, generator=generator)
    piece = leading_part(rows, (30, 25), start, rank=rank, walks=2)
    best = float(torch.linalg.svdvals(matrix)[rank:].norm())
    lost = float((piece.module.dense_OI() - matrix).norm())
    assert piece.module.rank == rank
    assert lost <= 1.01 * best
    assert piece.lost**0.5 == pytest.approx(lost, rel=1e-3)


def test_a_rank_above_that_of_the_factors_uses_it() -> None:
    low, high = (ties([random_delta(0, rank=1)], [1.0], density=0.3, rank=r) for r in (1, 4))
    assert {m.rank for m in high.delta.values()} == {4}
    assert high.error < low.error


def test_many_adapters_some_of_them_alike_are_no_trouble_for_the_start() -> None:
    shapes = {"m": (40, 30)}
    deltas = [random_delta(s % 5, rank=4, shapes=shapes) for s in range(8)]
    weights = [1.0, 0.5, -0.5, 0.25, 1.0, 0.0, 2.0, -1.0]
    full = ties(deltas, weights, density=0.4, rank=30, walks=1)
    part = ties(deltas, weights, density=0.4, rank=2)  # 32 rows of factors, of which 12 are taken
    target = full.delta["m"].dense_OI()
    best = float(torch.linalg.svdvals(target)[2:].norm())
    assert full.error <= 2e-3
    assert float((part.delta["m"].dense_OI() - target).norm()) <= 1.01 * best


def test_merges_that_mean_nothing() -> None:
    deltas = [random_delta(0)]
    with pytest.raises(ValueError, match=r"density is 0\.0: expected a number in \(0, 1\]"):
        ties(deltas, [1.0], density=0.0, rank=1)
    with pytest.raises(ValueError, match=r"density is 1\.5"):
        magnitude(deltas, [1.0], density=1.5, rank=1)
    with pytest.raises(ValueError, match="rank is 0"):
        dare(deltas, [1.0], density=0.5, rank=0, generator=torch.Generator())
    with pytest.raises(ValueError, match="walks is 0"):
        ties(deltas, [1.0], density=0.5, rank=1, walks=0)
    with pytest.raises(ValueError, match="1 adapters and 2 weights"):
        ties(deltas, [1.0, 2.0], density=0.5, rank=1)
    bad = {n: Delta(m.down_RI * math.nan, m.up_OR, 1.0) for n, m in deltas[0].items()}
    with pytest.raises(ValueError, match="NaN or infinite"):
        ties([bad], [1.0], density=0.5, rank=1)


def test_updates_whose_squares_float32_cannot_hold_are_refused_by_name() -> None:
    large = {"m": Delta(torch.full((1, 4), 1e10), torch.full((3, 1), 1e10), 1.0)}
    drawn = torch.Generator().manual_seed(0)
    for merge in (
        lambda: ties([large], [1.0], density=0.5, rank=1),
        lambda: magnitude([large], [1.0], density=0.5, rank=1),
        lambda: dare([large], [1.0], density=0.5, rank=1, generator=drawn),
        lambda: element_graft(large, keep_fraction=0.5),
    ):
        with pytest.raises(
            ValueError, match=r"module m: .* up to 3\.46e\+20: expected below 1e\+15"
        ):
            merge()
    wide = {"m": Delta(large["m"].down_RI.double(), large["m"].up_OR.double(), 1.0)}
    assert ties([wide], [1.0], density=1.0, rank=1).error < 1e-6


def test_nothing_that_came_in_is_changed() -> None:
    delta = random_delta(0, scale=4.0)
    before = {n: (m.down_RI.clone(), m.up_OR.clone()) for n, m in delta.items()}
    ties([delta], [2.0], density=0.5, rank=1)
    magnitude([delta], [2.0], density=0.5, rank=1)
    dare([delta], [2.0], density=0.5, rank=1, generator=torch.Generator())
    assert all(torch.equal(m.down_RI, before[n][0]) for n, m in delta.items())
    assert all(torch.equal(m.up_OR, before[n][1]) for n, m in delta.items())


def test_a_small_error_is_told_as_it_is() -> None:
    deltas = [random_delta(s, rank=4, shapes={"m": (60, 50)}) for s in range(2)]
    sums = [dense(deltas[0]), {"m": dense(deltas[0])["m"] - 0.5 * dense(deltas[1])["m"]}]
    found = (
        ties(deltas[:1], [1.0], density=1.0, rank=8),
        magnitude(deltas, [1.0, -0.5], density=1.0, rank=8),
    )
    for merged, target in zip(found, sums, strict=True):
        seen = distance(dense(merged.delta), target) / size(target)
        assert seen < 2e-6
        assert merged.error < 2e-6
        assert merged.error == pytest.approx(seen, abs=5e-7)  # a sum of float32 rows has two values


@pytest.mark.parametrize("tail", [3e-2, 3e-3, 3e-5])
def test_the_error_of_a_sketch_is_the_distance_however_small(tail: float) -> None:
    generator = torch.Generator().manual_seed(1)
    left = torch.linalg.qr(torch.randn(80, 12, generator=generator))[0]
    right = torch.linalg.qr(torch.randn(70, 12, generator=generator))[0]
    values = torch.tensor([1.0] * 6 + [tail] * 6)
    matrix = (left * values) @ right.mT

    def rows() -> Iterator[tuple[slice, Tensor]]:
        buffer = torch.empty(30, 70)
        for start in range(0, 80, 30):
            lines = slice(start, min(80, start + 30))
            block = buffer[: lines.stop - start].copy_(matrix[lines])
            yield lines, block
            block.zero_()  # as a buffer that is used again

    piece = leading_part(rows, (80, 70), right[:, :8].clone(), rank=6)
    seen = float((piece.module.dense_OI() - matrix).double().square().sum())
    assert piece.lost == pytest.approx(seen, rel=2e-2)
    assert seen**0.5 == pytest.approx(tail, rel=2.0)


MERGES: dict[str, Callable[..., Truncated]] = {
    "ties": ties,
    "magnitude": magnitude,
    "dare": lambda *args, **more: dare(*args, **more, generator=torch.Generator().manual_seed(1)),
}


@pytest.mark.parametrize("method", MERGES)
@pytest.mark.parametrize(
    ("scale", "weight"),
    [
        (1e-19, 1.0),
        (1e-22, 1.0),
        (1e-25, 1.0),
        (1e-35, 1e-20),
        (1.0, 1e17),
        (1.0, 1e30),
        (1.0, 1e-30),
    ],
)
def test_a_merge_of_any_size_is_the_same_merge(method: str, scale: float, weight: float) -> None:
    def merged(scale: float, weight: float) -> Truncated:
        deltas = [random_delta(seed, rank=3, scale=scale) for seed in range(2)]
        return MERGES[method](deltas, [weight, 0.5 * weight], density=0.5, rank=2)

    usual, odd = merged(1.0, 1.0), merged(scale, weight)
    wanted = {name: value * scale * weight for name, value in dense(usual.delta).items()}
    assert distance(dense(odd.delta), wanted) < 1e-5 * size(wanted)
    assert odd.error == pytest.approx(usual.error, rel=1e-5)


def test_a_tiny_module_beside_a_sound_one_stays_finite() -> None:
    whole = [random_delta(seed) for seed in range(2)]
    name = next(iter(whole[0]))
    tiny = [{**d, name: Delta(d[name].down_RI, d[name].up_OR * 1e-25, 1.0)} for d in whole]
    found, wanted = (ties(deltas, [1.0, 1.0], density=0.5, rank=2) for deltas in (tiny, whole))
    assert found.errors == pytest.approx(wanted.errors, rel=1e-5)


def test_factors_of_odd_sizes_are_one_delta() -> None:
    usual = random_delta(0)
    odd = {n: Delta(m.down_RI * 2.0**-90, m.up_OR * 2.0**90, 1.0) for n, m in usual.items()}
    both = [magnitude([delta], [1.0], density=0.5, rank=2).delta for delta in (usual, odd)]
    assert distance(dense(both[0]), dense(both[1])) < 1e-6 * size(dense(both[0]))


def test_a_merge_that_its_dtype_cannot_hold_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"layers\.0\.q_proj"):
        ties([random_delta(0)], [1e200], density=0.5, rank=2)
    with pytest.raises(ValueError, match=r"layers\.0\.q_proj"):
        ties([random_delta(0)], [1e-200], density=0.5, rank=2)
