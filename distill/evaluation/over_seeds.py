"""What several seeds of one experiment say together. Pure.

Owns the mean over seeds and its interval, in which a seed counts once, however many items it had:
another seed would have drawn other skills, other requests and another training.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from .errors import EvaluationError
from .student import student_cdf, student_quantile
from .verdict import RecipeVerdict


@dataclass(frozen=True, slots=True)
class SeedSummary:
    """A figure over seeds, in its own unit."""

    mean: float
    ci: tuple[float, float] | None
    """The 95 % interval of the mean over seeds; None where the seeds show no spread: there is one,
    or all agree to the last digit, as shares of few items do by chance."""
    p: float | None
    """Two-sided p-value of "the mean is 0"; None where there is no interval."""
    per_seed: Mapping[int, float]

    @property
    def num_seeds(self) -> int:
        """How many seeds there are."""
        return len(self.per_seed)


def over_seeds(values: Mapping[int, float], *, level: float = 0.95) -> SeedSummary:
    """Mean over seeds, with Student's interval and p-value of S-1 degrees of freedom.

    Args:
        values: by seed, one figure each.
        level: two-sided confidence, inside (0, 1).

    Returns:
        Seeds that agree exactly give no interval and no p-value, as one seed does: from them
        nobody can tell how far the next one would lie.

    Raises:
        EvaluationError: no seeds, or a figure that is not finite.
    """
    if not values or not all(math.isfinite(value) for value in values.values()):
        raise EvaluationError(f"figures by seed {dict(values)}: expected finite ones, at least one")
    mean = fmean(values.values())
    if len(values) == 1:
        return SeedSummary(mean, None, None, dict(values))
    df = len(values) - 1
    error = stdev(values.values()) / math.sqrt(len(values))
    if error == 0.0:
        return SeedSummary(mean, None, None, dict(values))
    half = student_quantile((1 + level) / 2, df) * error
    p = min(1.0, 2 * student_cdf(-abs(mean / error), df))
    return SeedSummary(mean, (mean - half, mean + half), p, dict(values))


def arms_over_seeds(verdicts: Sequence[RecipeVerdict]) -> dict[str, SeedSummary]:
    """Every arm that all verdicts of one recipe have, over their seeds.

    Raises:
        EvaluationError: no verdicts, or one seed twice.
    """
    by_seed = _by_seed(verdicts)
    names = [name for name in verdicts[0].arms if all(name in v.arms for v in verdicts)]
    return {
        name: over_seeds({seed: v.arms[name].mean for seed, v in by_seed.items()}) for name in names
    }


def comparisons_over_seeds(
    verdicts: Sequence[RecipeVerdict],
) -> dict[tuple[str, str], SeedSummary]:
    """Every comparison that all verdicts of one recipe have, over their seeds.

    Raises:
        EvaluationError: no verdicts, or one seed twice.
    """
    by_seed = _by_seed(verdicts)
    found = {
        seed: {(pair.a, pair.b): pair.diff for pair in v.comparisons} for seed, v in by_seed.items()
    }
    first = next(iter(found.values()))
    pairs = [pair for pair in first if all(pair in of_seed for of_seed in found.values())]
    return {
        pair: over_seeds({seed: of_seed[pair] for seed, of_seed in found.items()}) for pair in pairs
    }


def _by_seed(verdicts: Sequence[RecipeVerdict]) -> dict[int, RecipeVerdict]:
    lacking = [verdict.recipe for verdict in verdicts if "run" not in verdict.seeds]
    if lacking:
        raise EvaluationError(f"a verdict of {lacking[0]!r} names no seed 'run'; run it again")
    by_seed = {verdict.seeds["run"]: verdict for verdict in verdicts}
    if not verdicts or len(by_seed) != len(verdicts):
        seeds = [verdict.seeds["run"] for verdict in verdicts]
        raise EvaluationError(f"verdicts of the seeds {seeds}: expected each once, at least one")
    return by_seed
