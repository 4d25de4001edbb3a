"""Marginal utility: pairing, its refusals, and a planted effect."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from skillweave.distill.bank import Scored, marginal_utility, paired, utility_of
from skillweave.distill.evaluation import EvaluationError

from .samples import results


def test_the_difference_is_candidate_minus_reference_by_hand() -> None:
    seen = results(("x", 0.0, 1.0), ("x", 1.0, 1.0), ("y", 0.0, 0.0), ("y", 1.0, 0.0))
    assert seen.by_family() == {"x": 0.5, "y": -0.5}
    assert (seen.delta, seen.reference_mean, seen.candidate_mean) == (0.0, 0.5, 0.5)
    assert seen.only(["x"]).delta == 0.5
    with pytest.raises(EvaluationError, match="0 pairs"):
        seen.only(["z"])


def test_equal_arms_give_exactly_nothing() -> None:
    told = utility_of(results(("x", 0.3, 0.3), ("y", 1, 1)), rng=np.random.default_rng(1))
    assert (told.delta, told.low, told.high, told.n) == (0.0, 0.0, 0.0, 2)


def test_seeds_of_one_task_are_not_separate_evidence() -> None:
    one_task = {s: [Scored("t", "f", float(s % 2))] for s in range(40)}
    nothing = {s: [Scored("t", "f", 0.0)] for s in range(40)}
    two_tasks = {s: [Scored(f"t{s % 2}", "f", float(s % 2))] for s in range(40)}
    zero = {s: [Scored(f"t{s % 2}", "f", 0.0)] for s in range(40)}
    narrow = utility_of(paired(one_task, nothing), rng=np.random.default_rng(0))
    wide = utility_of(paired(two_tasks, zero), rng=np.random.default_rng(0))
    assert narrow.delta == wide.delta == 0.5
    assert (wide.low, wide.high) == (0.0, 1.0)
    assert narrow.high - narrow.low < 0.5


def test_a_planted_effect_is_found_on_matched_tasks() -> None:
    asked: list[tuple[bool, int]] = []

    async def evaluate(context: bool, seed: int) -> Sequence[Scored]:
        asked.append((context, seed))
        rng = np.random.default_rng(seed)
        luck = rng.random(50)
        hard = 0.2 if context else 0.7
        return [Scored(f"t{i}", f"f{i % 5}", float(u > hard)) for i, u in enumerate(luck)]

    told, seen = asyncio.run(
        marginal_utility(
            evaluate,
            with_it=True,
            without_it=False,
            seeds=(3, 4),
            rng=np.random.default_rng(0),
        )
    )
    assert told.n == len(seen.pairs) == 100
    assert 0.0 < told.low <= told.delta <= told.high
    assert all(pair.delta >= 0 for pair in seen.pairs)
    assert asked == [(True, 3), (False, 3), (False, 4), (True, 4)]


@pytest.mark.parametrize(
    ("candidate", "reference", "says"),
    [
        ({1: [Scored("t", "f", 1)]}, {2: [Scored("t", "f", 1)]}, "same seeds"),
        ({1: [Scored("t", "f", 1)]}, {1: [Scored("u", "f", 1)]}, "one arm alone"),
        ({1: [Scored("t", "f", 1)]}, {1: [Scored("t", "g", 1)]}, "one arm alone"),
        ({1: [Scored("t", "f", 1)] * 2}, {1: [Scored("t", "f", 1)]}, "scored a task twice"),
        ({1: []}, {1: []}, "0 pairs"),
    ],
)
def test_arms_that_do_not_match_are_refused(
    candidate: dict[int, list[Scored]], reference: dict[int, list[Scored]], says: str
) -> None:
    with pytest.raises(EvaluationError, match=says):
        paired(candidate, reference)


@pytest.mark.parametrize("seeds", [(), (1, 1)])
def test_seeds_must_be_some_and_different(seeds: tuple[int, ...]) -> None:
    async def evaluate(context: int, seed: int) -> Sequence[Scored]:
        return [Scored("t", "f", context + seed)]

    with pytest.raises(EvaluationError, match="each of them once"):
        asyncio.run(
            marginal_utility(
                evaluate, with_it=1, without_it=0, seeds=seeds, rng=np.random.default_rng(0)
            )
        )
