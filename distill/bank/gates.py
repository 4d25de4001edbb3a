"""Who may enter a bank: pure functions of paired results.

Owns the gates. Refuses to own the measuring (`utility.py`) and any judge that is a model: a teacher
may propose, it never decides. To add one: a frozen dataclass with `judge`, and a test by hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from ...adapters.errors import UsageError
from .types import GateVerdict
from .utility import PairedResults, utility_of

RESAMPLES = 2000


class Gate(Protocol):
    """A rule that lets a candidate pass, or not; the same results give the same verdict."""

    def judge(self, results: PairedResults) -> GateVerdict: ...


@dataclass(frozen=True)
class DeltaPassRate:
    """The mean rises by more than `tau`; with `sure` the interval's lower end does too.

    Source: SkillComposer (arXiv:2606.06079), whose tau was not found; ours is 0.10.
    """

    tau: float = 0.10
    sure: bool = False

    def judge(self, results: PairedResults) -> GateVerdict:
        sure = ", surely" if self.sure else ""
        verdict = _verdict(f"delta-pass-rate > {self.tau:g}{sure}", results)
        seen = verdict.low if self.sure else verdict.delta
        what = "the interval begins at" if self.sure else "the difference is"
        reason = f"{what} {seen:+.3f}, expected more than {self.tau:+.3f}"
        return verdict.model_copy(update={"passed": seen > self.tau, "reason": reason})


@dataclass(frozen=True)
class StrictImprove:
    """The mean is higher, by however little. Source: MASA (arXiv:2605.30723), stage 1."""

    def judge(self, results: PairedResults) -> GateVerdict:
        old, new = results.reference_mean, results.candidate_mean
        verdict = _verdict("strict-improve", results)
        reason = f"mean {new:.3f} against {old:.3f}, expected more"
        return verdict.model_copy(update={"passed": new > old, "reason": reason})


@dataclass(frozen=True)
class NoRegression:
    """No family's mean falls by more than `tolerance`, and nor does the mean of all."""

    tolerance: float = 0.05

    def judge(self, results: PairedResults) -> GateVerdict:
        families = results.by_family()
        worst = min(families, key=lambda name: (families[name], name))
        lowest = min(families[worst], results.delta)
        reason = (
            f"family {worst!r} changes by {families[worst]:+.3f}, all by {results.delta:+.3f}, "
            f"expected no fall of more than {self.tolerance:g}"
        )
        verdict = _verdict(f"no-regression within {self.tolerance:g}", results)
        passed = lowest >= -self.tolerance - 1e-12
        return verdict.model_copy(update={"passed": passed, "reason": reason})


@dataclass(frozen=True)
class FrontierTopK:
    """A frontier of the `k` best scores: admit while it is not full, or above its weakest.

    A value: `admit` gives the next frontier. Source: EvoSkill (arXiv:2603.02766).
    """

    k: int = 3
    members: tuple[tuple[str, float], ...] = ()
    """Name or snapshot, and mean score; the best first."""

    def __post_init__(self) -> None:
        if self.k < 1:
            raise UsageError(f"a frontier of {self.k}: expected at least 1")

    def judge(self, results: PairedResults) -> GateVerdict:
        score = results.candidate_mean
        passed, reason = self.admits(score)
        verdict = _verdict(f"frontier-top-{self.k}", results)
        return verdict.model_copy(update={"passed": passed, "reason": reason})

    def admits(self, score: float) -> tuple[bool, str]:
        """Whether a score gets in, and why."""
        if len(self.members) < self.k:
            return True, f"{len(self.members)} of {self.k} places are taken"
        weakest, least = self.members[-1]
        return score > least, f"mean {score:.3f} against {least:.3f} of the weakest, {weakest!r}"

    def admit(self, name: str, score: float) -> "FrontierTopK":
        """The frontier with this one in it; the weakest leaves a full one, the older stays on ties.

        Raises:
            UsageError: it does not get in, or the name is in it already.
        """
        if not self.admits(score)[0] or any(name == member for member, _ in self.members):
            raise UsageError(f"{name!r} with {score:.3f} does not enter {self.members}")
        ranked = sorted([*self.members, (name, score)], key=lambda member: -member[1])
        return replace(self, members=tuple(ranked[: self.k]))


@dataclass(frozen=True)
class AllOf:
    """Every gate must let it pass; the first that does not speaks."""

    gates: Sequence[Gate]

    def judge(self, results: PairedResults) -> GateVerdict:
        verdicts = [gate.judge(results) for gate in self.gates]
        if not verdicts:
            raise UsageError("all of 0 gates: expected at least one gate")
        name = " and ".join(verdict.gate for verdict in verdicts)
        told = next((v for v in verdicts if not v.passed), verdicts[-1])
        return told.model_copy(update={"gate": name})


def _verdict(gate: str, results: PairedResults) -> GateVerdict:
    """The figures that every verdict shows; the interval is drawn from a fixed seed."""
    seen = utility_of(results, rng=np.random.default_rng(0), num_resamples=RESAMPLES)
    return GateVerdict(
        gate=gate, passed=False, delta=seen.delta, low=seen.low, high=seen.high, n=seen.n, reason=""
    )
