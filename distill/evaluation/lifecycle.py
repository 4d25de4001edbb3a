"""The lifecycle matrix: what a skill gains, by domain, by who uses it and by who made it. Pure.

    gain(d, t, e) = score of target t on domain d with what e made of d - score without anything

Owns the matrix and what is read off it: the mean gain of an extractor (extraction efficacy), that
of a target (evolvability), the share of cells that lost (negative transfer), each with an interval
that draws whole domains, and the acceptance test of skills and adapters. Refuses to own asking
(`trial.py`), who the targets are (`distill/targets.py`) and judges of texts (`judges.py`).

An extractor is whoever made the thing that an arm adds: an author of texts or a method that trains
adapters, so every arm of every recipe can be read as one.

A cell of few items is noisy, and an extractor without any effect loses in up to half of its cells:
compare rates of negative transfer between extractors, never one with zero.

Source: SkillLens, arXiv:2605.23899. Departs: the paper's aggregates were not found; these are means
over the other two indices, all cells alike.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .errors import EvaluationError
from .stats import Interval, clustered_mean
from .types import ItemResult

TARGET_MARK = "@"
"""Stands in an item's id before the name of the target that was asked."""
SERVED = "served"
"""The target of items that name none."""
MOST_NEGATIVE = 0.25
"""Share of negative cells that an accepted extractor may have: that of the paper's models."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One gain; `domain` is the cluster of its items, in this project the skill."""

    domain: str
    target: str
    extractor: str
    gain: float
    num_items: int


@dataclass(frozen=True, slots=True)
class LifecycleRow:
    """One line of the report: an extractor over domains and targets, or a target over the rest."""

    kind: str
    """extractor | target"""
    name: str
    gain: Interval
    negative: Interval
    num_cells: int


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Whether an extractor may be used, and what was seen."""

    accepted: bool
    gain: Interval
    negative: Interval
    reason: str


@dataclass(frozen=True)
class LifecycleMatrix:
    """Cells in order of extractor, target and domain; every extractor has the same domains and
    targets."""

    cells: tuple[Cell, ...]

    @property
    def extractors(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(cell.extractor for cell in self.cells))

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(cell.target for cell in self.cells))

    def only(
        self,
        *,
        extractors: Collection[str] | None = None,
        targets: Collection[str] | None = None,
        domains: Collection[str] | None = None,
    ) -> LifecycleMatrix:
        """The part with these names; None keeps all.

        Raises:
            EvaluationError: nothing is left.
        """

        def kept(cell: Cell) -> bool:
            pairs = ((extractors, cell.extractor), (targets, cell.target), (domains, cell.domain))
            return all(names is None or name in names for names, name in pairs)

        cells = tuple(cell for cell in self.cells if kept(cell))
        if not cells:
            raise EvaluationError(
                f"no cell of extractors {extractors}, targets {targets}, domains {domains}; the "
                f"matrix has {', '.join(self.extractors)} on {', '.join(self.targets)}"
            )
        return LifecycleMatrix(cells)

    def gain(self, *, seed: int = 0) -> Interval:
        """Mean gain of all cells; of one extractor its efficacy, of one target its evolvability."""
        return _mean(self.cells, [cell.gain for cell in self.cells], seed)

    def negative(self, *, seed: int = 0) -> Interval:
        """Share of cells with a gain below 0."""
        return _mean(self.cells, [float(cell.gain < 0) for cell in self.cells], seed)

    def more_negative(self, a: str, b: str, *, seed: int = 0) -> Interval:
        """Negative transfer of extractor a minus that of b, paired by domain and target."""
        of_a, of_b = self.only(extractors=[a]).cells, self.only(extractors=[b]).cells
        lost = [float(x.gain < 0) - float(y.gain < 0) for x, y in zip(of_a, of_b, strict=True)]
        return _mean(of_a, lost, seed)

    def rows(self, *, seed: int = 0) -> tuple[LifecycleRow, ...]:
        """The report: every extractor, then every target."""
        parts = [("extractor", name, self.only(extractors=[name])) for name in self.extractors]
        parts += [("target", name, self.only(targets=[name])) for name in self.targets]
        return tuple(
            LifecycleRow(kind, name, m.gain(seed=seed), m.negative(seed=seed), len(m.cells))
            for kind, name, m in parts
        )

    def accepts(
        self, extractor: str, *, most_negative: float = MOST_NEGATIVE, seed: int = 0
    ) -> Acceptance:
        """The standing acceptance test: it helps on average, and seldom hurts.

        Accepted are a mean gain whose interval lies above 0 and a share of negative cells of at
        most `most_negative`.

        Raises:
            EvaluationError: no such extractor, or fewer than two domains: of one domain the
                interval would say nothing about others.
        """
        part = self.only(extractors=[extractor])
        if len({cell.domain for cell in part.cells}) < 2:
            raise EvaluationError(
                f"{extractor!r} was seen on one domain: expected at least 2, better 12 or more"
            )
        gain, negative = part.gain(seed=seed), part.negative(seed=seed)
        problems = []
        if gain.low <= 0:
            problems.append(f"gain {gain.estimate:+.3f} has an interval from {gain.low:+.3f}")
        if negative.estimate > most_negative:
            problems.append(f"{negative.estimate:.0%} of cells lost, at most {most_negative:.0%}")
        return Acceptance(not problems, gain, negative, "; ".join(problems))


def lifecycle(
    results: Iterable[ItemResult],
    *,
    without: str = "none",
    leave_out: Collection[str] = ("oracle",),
) -> LifecycleMatrix:
    """The matrix of the results of any recipe.

    Args:
        results: of matched arms; the target is what stands behind the last `TARGET_MARK` of an
            item's id, and `SERVED` where there is none.
        without: the arm that nothing was added to.
        leave_out: arms that are no extractors.

    Raises:
        EvaluationError: no such arm, no extractor beside it, or items that only one arm answered.
    """
    arms: dict[str, dict[str, ItemResult]] = {}
    for result in results:
        arms.setdefault(result.arm, {})[result.item_id] = result
    extractors = sorted(arms.keys() - {without, *leave_out})
    if without not in arms or not extractors:
        raise EvaluationError(
            f"arms {sorted(arms)}: expected {without!r} and at least one other, beside "
            f"{', '.join(leave_out)}"
        )
    for name in extractors:
        if arms[name].keys() != arms[without].keys():
            raise EvaluationError(
                f"{name!r} answered {len(arms[name])} items and {without!r} {len(arms[without])}, "
                "or not the same ones: every arm must answer the same items"
            )
    bare = arms[without]
    return LifecycleMatrix(
        tuple(
            Cell(domain, target, name, _gain([(arms[name][i], bare[i]) for i in ids]), len(ids))
            for name in extractors
            for (target, domain), ids in sorted(_cells(bare.values()).items())
        )
    )


def target_of(item_id: str) -> str:
    """The target that an item's id names."""
    return item_id.rpartition(TARGET_MARK)[2] if TARGET_MARK in item_id else SERVED


def matrix_notes(matrix: LifecycleMatrix, *, seed: int = 0) -> tuple[str, ...]:
    """The rows as sentences, for the notes of a verdict."""
    return tuple(
        f"{row.kind} {row.name}: gain {row.gain.estimate:+.3f} "
        f"[{row.gain.low:+.3f}, {row.gain.high:+.3f}], {row.negative.estimate:.0%} of "
        f"{row.num_cells} cells negative"
        for row in matrix.rows(seed=seed)
    )


def matrix_document(matrix: LifecycleMatrix, *, seed: int = 0) -> dict[str, object]:
    """The matrix as JSON values: its rows with intervals, and all cells."""
    rows: list[Mapping[str, object]] = [
        {
            "kind": row.kind, "name": row.name, "cells": row.num_cells,
            "gain": row.gain.estimate, "gain_ci": [row.gain.low, row.gain.high],
            "negative": row.negative.estimate,
            "negative_ci": [row.negative.low, row.negative.high],
        }
        for row in matrix.rows(seed=seed)
    ]  # fmt: skip
    cells = [
        {"domain": c.domain, "target": c.target, "extractor": c.extractor, "gain": c.gain,
         "items": c.num_items}
        for c in matrix.cells
    ]  # fmt: skip
    return {"rows": rows, "cells": cells}


def _cells(results: Iterable[ItemResult]) -> dict[tuple[str, str], list[str]]:
    """The ids of the items by target and domain."""
    found: dict[tuple[str, str], list[str]] = {}
    for result in results:
        found.setdefault((target_of(result.item_id), result.cluster), []).append(result.item_id)
    return found


def _gain(pairs: Sequence[tuple[ItemResult, ItemResult]]) -> float:
    """Exact in every order of the items, so that no gain is not a tiny one."""
    return math.fsum(float(a.passed) - float(b.passed) for a, b in pairs) / len(pairs)


def _mean(cells: Sequence[Cell], values: Sequence[float], seed: int) -> Interval:
    domains = [cell.domain for cell in cells]
    return clustered_mean(values, domains, rng=np.random.default_rng(seed))
