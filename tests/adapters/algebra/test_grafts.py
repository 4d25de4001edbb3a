"""Components, grafts, overlaps, skill vectors: by hand and against the dense matrices."""

import math

import pytest
import torch
from skillweave.adapters.algebra import (
    SparseDelta,
    bai_init,
    component_graft,
    components,
    concat,
    element_graft,
    overlap,
    scale,
    skill_vector,
    truncate,
)
from skillweave.adapters.delta import Delta

from .deltas import dense, dense_sum, distance, random_delta, size

DIAGONAL = {"m": Delta(torch.eye(3, 4), torch.diag(torch.tensor([1.0, 3.0, 2.0])), 1.0)}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_components_are_the_singular_value_decomposition() -> None:
    delta = concat([random_delta(0), random_delta(1)], [1.0, -2.0])
    for name, terms in components(delta).items():
        value = dense(delta)[name]
        assert terms.values_R.tolist() == pytest.approx(
            torch.linalg.svdvals(value)[: len(terms.values_R)].tolist(), rel=1e-6
        )
        again = (terms.left_OR * terms.values_R) @ terms.right_RI
        assert torch.allclose(again, value, atol=1e-5)


def test_components_count_only_the_numerical_rank() -> None:
    delta = concat([random_delta(0), random_delta(0)], [1.0, 1.0])
    assert {len(terms.values_R) for terms in components(delta).values()} == {2}
    zero = components(scale(random_delta(0), 0.0))
    assert [terms.values_R.tolist() for terms in zero.values()] == [[0.0], [0.0]]


@pytest.mark.parametrize("keep", [2, 0.5])
def test_the_largest_components_stay(keep: float) -> None:
    graft = component_graft(DIAGONAL, keep=keep)  # values 3, 2, 1: a half of three is two
    expected = torch.zeros(3, 4)
    expected[1, 1], expected[2, 2] = 3.0, 2.0
    assert torch.allclose(graft.delta["m"].dense_OI(), expected, atol=1e-6)
    assert graft.delta["m"].rank == 2
    assert graft.error == pytest.approx(1 / math.sqrt(14.0))


def test_keeping_n_components_is_truncation() -> None:
    delta = random_delta(4, rank=4)
    graft, cut = component_graft(delta, keep=2), truncate(delta, rank=2)
    assert graft.error == pytest.approx(cut.error)
    assert distance(dense(graft.delta), dense(cut.delta)) <= 1e-5


def test_gates_scale_single_components() -> None:
    graft = component_graft(DIAGONAL, gates={"m": torch.tensor([0.5, 0.0, 1.0])})
    expected = torch.zeros(3, 4)
    expected[0, 0], expected[1, 1] = 1.0, 1.5
    assert torch.allclose(graft.delta["m"].dense_OI(), expected, atol=1e-6)
    assert graft.delta["m"].rank == 2
    assert graft.error == pytest.approx(math.sqrt((1.5**2 + 2**2) / 14.0))


def test_gates_all_closed_leave_zero_of_rank_one() -> None:
    graft = component_graft(DIAGONAL, gates={"m": torch.zeros(3)})
    assert (graft.delta["m"].rank, graft.error) == (1, 1.0)
    assert not graft.delta["m"].dense_OI().any()


def test_random_components_are_reproducible_and_lose_what_they_say() -> None:
    delta = random_delta(5, rank=4)
    first, again = (component_graft(delta, keep=2, generator=generator(3)) for _ in range(2))
    assert distance(dense(first.delta), dense(again.delta)) == 0.0
    lost = distance(dense(first.delta), dense(delta)) / size(dense(delta))
    assert first.error == pytest.approx(lost, abs=1e-6)
    assert first.error >= component_graft(delta, keep=2).error


def test_component_grafts_that_mean_nothing() -> None:
    with pytest.raises(ValueError, match="exactly one of keep"):
        component_graft(DIAGONAL)
    with pytest.raises(ValueError, match=r"share of components to keep is 1\.5"):
        component_graft(DIAGONAL, keep=1.5)
    with pytest.raises(ValueError, match="rank is 0"):
        component_graft(DIAGONAL, keep=0)
    with pytest.raises(ValueError, match=r"outside \[0, 1\]"):
        component_graft(DIAGONAL, gates={"m": torch.tensor([2.0, 0.0, 0.0])})
    with pytest.raises(ValueError, match=r"gates of shape \(2,\)"):
        component_graft(DIAGONAL, gates={"m": torch.ones(2)})
    with pytest.raises(ValueError, match="no gates for module m"):
        component_graft(DIAGONAL, gates={})


@pytest.mark.parametrize("fraction", [0.1, 0.5, 1.0])
def test_the_largest_entries_stay(fraction: float) -> None:
    delta = random_delta(0, rank=3, scale=0.7)
    for name, graft in element_graft(delta, keep_fraction=fraction).items():
        full = delta[name].dense_OI()
        count = int(fraction * full.numel())
        limit = full.abs().flatten().sort(descending=True).values[count - 1]
        assert len(graft.indices_K) == count
        expected = torch.where(full.abs() >= limit, full, torch.zeros_like(full))
        assert torch.allclose(graft.dense_OI(), expected, atol=1e-6)
        assert graft.share == count / full.numel()


def test_entries_under_a_mask_stay() -> None:
    delta = random_delta(0)
    mask = {n: torch.rand(m.shape, generator=generator()) < 0.3 for n, m in delta.items()}
    for name, graft in element_graft(delta, mask=mask).items():
        expected = delta[name].dense_OI() * mask[name]
        assert torch.allclose(graft.dense_OI(), expected, atol=1e-6)


def test_element_grafts_that_mean_nothing() -> None:
    delta = random_delta(0)
    with pytest.raises(ValueError, match="exactly one of keep_fraction"):
        element_graft(delta)
    with pytest.raises(ValueError, match=r"keep_fraction is 0\.0"):
        element_graft(delta, keep_fraction=0.0)
    with pytest.raises(ValueError, match="no mask: expected a mask of shape"):
        element_graft(delta, mask={})


@pytest.mark.parametrize("indices", [[1, 1], [2, 1], [-1, 0], [0, 6]])
def test_places_rise_and_lie_inside(indices: list[int]) -> None:
    with pytest.raises(ValueError, match="strictly rising numbers from 0 to 5"):
        SparseDelta(torch.tensor(indices), torch.ones(2), (2, 3))


def sparse(*places: int, shape: tuple[int, int] = (10, 10)) -> dict[str, SparseDelta]:
    return {"m": SparseDelta(torch.tensor(places), torch.ones(len(places)), shape)}


def test_overlap_counts_the_places_of_the_first() -> None:
    a, b = sparse(1, 2, 3, 4), sparse(3, 4, 5)
    assert overlap(a, b).share == 0.5
    assert overlap(b, a).share == pytest.approx(2 / 3)
    assert overlap(a, b).shuffled is None
    assert overlap(a, {"other": b["m"]}).share == 0.0


def test_the_shuffled_reference_is_about_the_density_of_the_second() -> None:
    a, b = sparse(*range(50)), sparse(*range(0, 60, 3))
    drawn = [overlap(a, b, generator=generator(seed)).shuffled for seed in range(40)]
    mean = sum(value for value in drawn if value is not None) / len(drawn)
    assert mean == pytest.approx(0.2, abs=0.03)


def test_overlaps_that_mean_nothing() -> None:
    with pytest.raises(ValueError, match="0 places"):
        overlap(element_graft(random_delta(0), keep_fraction=1e-6), sparse(1))
    with pytest.raises(ValueError, match="shapes"):
        overlap(sparse(1), sparse(1, shape=(5, 20)))


def test_a_skill_vector_is_what_was_added_and_can_be_compacted() -> None:
    before, gained = random_delta(0, rank=3), random_delta(1, rank=2)
    after = concat([before, gained], [1.0, 1.0])
    plain, compact = skill_vector(after, before), skill_vector(after, before, compact=True)
    assert {m.rank for m in plain.values()} == {8}
    assert {m.rank for m in compact.values()} == {2}
    for vector in (plain, compact):
        assert distance(dense(vector), dense(gained)) <= 1e-5


def test_bai_averages_and_scales() -> None:
    a, b = random_delta(0), random_delta(1)
    mixed = dense(bai_init(a, b, 0.6))
    assert distance(mixed, dense_sum([a, b], [0.3, 0.3])) <= 1e-6
    with pytest.raises(ValueError, match=r"a is 1\.2"):
        bai_init(a, b, 1.2)
