"""PEFT's own merges as the oracle: what agrees with ours, entry by entry, and what does not."""

from typing import Literal

import pytest
import torch
from skillweave.adapters.algebra import Truncated, concat, dare, magnitude, ties, truncate
from skillweave.adapters.delta import AdapterDelta, Delta
from skillweave.scripts.bench.peft_side import Mode, PeftSide

from .deltas import dense, dense_sum, distance, random_delta, size

SHAPES = {"a.q_proj": (24, 16), "a.down_proj": (16, 40)}
WEIGHTS = [0.7, -0.4, 1.1]
RANK = 3


@pytest.fixture(scope="module")
def deltas() -> list[AdapterDelta]:
    return [random_delta(s, rank=4, scale=s - 0.5, shapes=SHAPES) for s in range(1, 4)]


@pytest.fixture(scope="module")
def peft(deltas: list[AdapterDelta]) -> PeftSide:
    return PeftSide(deltas)


@pytest.fixture(scope="module")
def mixed() -> list[AdapterDelta]:
    """Ranks and module sets that differ."""
    parts = [random_delta(s, rank=s + 1, scale=0.5, shapes=SHAPES) for s in range(1, 4)]
    return [*parts[:2], {"a.q_proj": parts[2]["a.q_proj"]}]


def test_cat_is_concat(deltas: list[AdapterDelta], peft: PeftSide) -> None:
    ours, theirs = concat(deltas, WEIGHTS), peft.merge(WEIGHTS, "cat").delta
    assert distance(dense(ours), dense(theirs)) <= 1e-5 * size(dense(ours))
    assert {n: m.rank for n, m in ours.items()} == {n: m.rank for n, m in theirs.items()}


def test_cat_of_mixed_ranks_is_concat(mixed: list[AdapterDelta]) -> None:
    ours, theirs = concat(mixed, WEIGHTS), PeftSide(mixed).merge(WEIGHTS, "cat").delta
    assert distance(dense(ours), dense(theirs)) <= 1e-5 * size(dense(ours))


@pytest.mark.parametrize("full_matrices", [True, False])
def test_svd_is_truncate(deltas: list[AdapterDelta], peft: PeftSide, full_matrices: bool) -> None:
    theirs = peft.merge(WEIGHTS, "svd", rank=RANK, full_matrices=full_matrices).delta
    ours = truncate(concat(deltas, WEIGHTS), rank=RANK)
    assert distance(dense(ours.delta), dense(theirs)) <= 1e-4 * size(dense(theirs))


def test_linear_is_another_operator(deltas: list[AdapterDelta], peft: PeftSide) -> None:
    """Its factors are summed apart: the product holds cross terms `B_i A_j`, signs on one side."""
    theirs = dense(peft.merge(WEIGHTS, "linear").delta)
    for name in SHAPES:
        scaled = [w * d[name].scale for w, d in zip(WEIGHTS, deltas, strict=True)]
        roots = [(abs(c) ** 0.5, 1.0 if c >= 0 else -1.0) for c in scaled]
        parts = [(r, s, d[name]) for (r, s), d in zip(roots, deltas, strict=True)]
        up = sum(r * m.up_OR.double() for r, _, m in parts)
        down = sum(s * r * m.down_RI.double() for r, s, m in parts)
        assert torch.allclose(up @ down, theirs[name], atol=1e-4)
    true = dense_sum(deltas, WEIGHTS)
    assert distance(theirs, true) > 0.5 * size(true)
    assert distance(dense(concat(deltas, WEIGHTS)), true) < 1e-5 * size(true)


Method = Literal["ties", "ties_frequency", "magnitude", "dare_linear", "dare_ties"]
MODES: dict[Method, Mode] = {
    "ties": "ties_svd",
    "ties_frequency": "ties_svd",
    "magnitude": "magnitude_prune_svd",
    "dare_linear": "dare_linear_svd",
    "dare_ties": "dare_ties_svd",
}
FULL = min(min(shape) for shape in SHAPES.values())


def ours(
    method: Method, deltas: list[AdapterDelta], rank: int, masks: torch.Generator
) -> Truncated:
    if method == "magnitude":
        return magnitude(deltas, WEIGHTS, density=0.4, rank=rank)
    if method == "ties":
        return ties(deltas, WEIGHTS, density=0.4, rank=rank)
    if method == "ties_frequency":
        return ties(deltas, WEIGHTS, density=0.4, rank=rank, sign_election="frequency")
    election: Literal["none", "total"] = "none" if method == "dare_linear" else "total"
    return dare(deltas, WEIGHTS, density=0.4, rank=rank, generator=masks, sign_election=election)


def theirs(method: Method, peft: PeftSide, rank: int) -> AdapterDelta:
    election: Literal["total", "frequency"] = "frequency" if "freq" in method else "total"
    return peft.merge(
        WEIGHTS, MODES[method], rank=rank, density=0.4, election=election, seed=11
    ).delta


@pytest.mark.parametrize("method", list(MODES))
def test_merges_of_entries_agree_entry_by_entry(
    method: Method, deltas: list[AdapterDelta], peft: PeftSide
) -> None:
    """At full rank both are the merged delta itself: same masks, signs, weights and rescaling."""
    mine = ours(method, deltas, FULL, peft.generator_of_masks(11, FULL))
    for name, value in dense(mine.delta).items():
        expected = dense(theirs(method, peft, FULL))[name]
        assert torch.allclose(value, expected, atol=1e-4), name
        pruned = (expected.abs() < 1e-5).float().mean()
        assert 0.05 < pruned < 0.9  # there was something to agree on


@pytest.mark.parametrize("method", list(MODES))
def test_merges_of_entries_at_lower_rank_are_as_good(
    method: Method, deltas: list[AdapterDelta], peft: PeftSide
) -> None:
    target = dense(theirs(method, peft, FULL))
    mine = ours(method, deltas, RANK, peft.generator_of_masks(11, RANK))
    if method.startswith("dare"):  # another rank draws other initial values first
        target = dense(ours(method, deltas, FULL, peft.generator_of_masks(11, RANK)).delta)
    tails = [torch.linalg.svdvals(value)[RANK:].square().sum() for value in target.values()]
    optimum = float(sum(tails)) ** 0.5
    seen = distance(dense(mine.delta), target)
    assert seen <= 1.01 * optimum
    assert mine.error == pytest.approx(seen / size(target), abs=1e-3)
    assert set(mine.methods.values()) == {"sketch"}


@pytest.mark.parametrize("method", ["ties", "dare_linear"])
def test_mixed_ranks_and_module_sets(method: Method, mixed: list[AdapterDelta]) -> None:
    peft = PeftSide(mixed)
    mine = ours(method, mixed, FULL, peft.generator_of_masks(11, FULL))
    expected = dense(theirs(method, peft, FULL))
    assert distance(dense(mine.delta), expected) <= 1e-4 * size(expected)


def test_a_scale_is_applied_once(peft: PeftSide, deltas: list[AdapterDelta]) -> None:
    """Released PEFT up to 0.20 squared it in `svd`: https://github.com/huggingface/peft/pull/3111."""
    doubled = [
        {n: Delta(m.down_RI, m.up_OR, 2 * m.scale) for n, m in delta.items()} for delta in deltas
    ]
    single = peft.merge(WEIGHTS, "svd", rank=RANK).delta
    double = PeftSide(doubled).merge(WEIGHTS, "svd", rank=RANK).delta
    ratio = size(dense(double)) / size(dense(single))
    assert ratio == pytest.approx(2.0, rel=1e-4)
