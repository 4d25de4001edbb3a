"""From results of an evaluation to the blocks of a report. Pure.

Owns: the translation, and the small arithmetic of two blocks (confusion counts, break-even).
Refuses to own: statistics (`evaluation.summary`) and measuring time.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ..evaluation import ArmSummary, ClauseResult, Comparison, ItemResult
from . import figures
from .model import (
    ArmRow,
    Bar,
    BreakEven,
    ComparisonRow,
    Example,
    ExampleAnswer,
    HarmRow,
    RouterBlock,
)

ABSTAINED = "abstained"
"""The last column of the confusion matrix."""
ANOTHER = "another skill"
"""A column of its own, where a route named a skill that is not in the matrix."""
OUT_OF_SCOPE = "outside every skill"
"""The last row of the confusion matrix, where such states were asked."""


def arm_rows(arms: Iterable[ArmSummary], *, about: Mapping[str, str]) -> tuple[ArmRow, ...]:
    """Rows of the arms table; `about` has one sentence an arm name."""
    return tuple(
        ArmRow(
            name=arm.name,
            about=about.get(arm.name, ""),
            mean=arm.mean,
            ci=arm.ci,
            n=arm.n,
            failures=arm.failures,
            prompt_tokens=arm.tokens.prompt,
            completion_tokens=arm.tokens.completion,
        )
        for arm in arms
    )


def comparison_rows(comparisons: Iterable[Comparison]) -> tuple[ComparisonRow, ...]:
    """Rows of the comparisons table."""
    return tuple(
        ComparisonRow(
            a=c.a,
            b=c.b,
            diff=c.diff,
            ci=c.ci,
            only_a=c.discordant.only_a,
            only_b=c.discordant.only_b,
            p_mcnemar=c.p_mcnemar,
            n=c.n,
        )
        for c in comparisons
    )


def bar_rows(
    clauses: Iterable[ClauseResult], *, names: Mapping[str, str] | None = None
) -> tuple[Bar, ...]:
    """One bar a clause of a checked criterion: points for arms, plain numbers for the rest.

    Args:
        clauses: after the run.
        names: words for `measured` quantities, by name.
    """
    return tuple(_bar(clause, names or {}) for clause in clauses)


def confusion(
    results: Sequence[ItemResult], *, skills: Sequence[str], selector: str = ""
) -> RouterBlock:
    """The router's confusion matrix from the results of the `auto` arm.

    A reply whose `route` is empty or `base`, or whose `form` is `none`, counts as an abstention;
    `@version` behind a route is left out. Results of a cluster that is no skill form the last
    row.

    Args:
        results: of one arm; failed requests are left out, for they say nothing of the route.
        skills: in the order of rows and columns.
        selector: the selector's name, shown beside the matrix.
    """
    known, seen = set(skills), Counter[tuple[str, str]]()
    for result in results:
        if not result.error:
            meant = result.cluster if result.cluster in known else OUT_OF_SCOPE
            seen[meant, _chosen(result, known)] += 1
    outside = any(meant == OUT_OF_SCOPE for meant, _ in seen)
    rows = (*skills, OUT_OF_SCOPE) if outside else tuple(skills)
    another = any(chosen == ANOTHER for _, chosen in seen)
    columns = (*skills, *([ANOTHER] if another else []), ABSTAINED)
    inside_total = sum(n for (meant, _), n in seen.items() if meant in known)
    outside_total = seen.total() - inside_total
    right = sum(seen[name, name] for name in skills)
    quiet = sum(seen[name, ABSTAINED] for name in skills)
    return RouterBlock(
        rows=rows,
        columns=columns,
        counts=tuple(tuple(seen[row, column] for column in columns) for row in rows),
        accuracy=right / inside_total if inside_total else 0.0,
        abstained=quiet / inside_total if inside_total else 0.0,
        out_of_scope_abstained=(
            seen[OUT_OF_SCOPE, ABSTAINED] / outside_total if outside_total else None
        ),
        selector=selector,
    )


def worked_example(
    skill: str,
    results: Iterable[ItemResult],
    *,
    skill_text: str,
    request: str,
    item_id: str,
    expected: str = "",
) -> Example:
    """What every arm answered to one item of a skill."""
    return Example(
        skill=skill,
        skill_text=skill_text,
        request=request,
        expected=expected,
        answers=tuple(
            ExampleAnswer(
                arm=r.arm,
                answer=r.answer if not r.error else f"(request failed: {r.error})",
                passed=r.passed,
                route=r.route,
            )
            for r in results
            if r.item_id == item_id
        ),
    )


def break_even(
    skill: str,
    *,
    prefix_cache: bool,
    train_s: float,
    text_requests_per_s: float,
    adapter_requests_per_s: float,
) -> BreakEven:
    """After how many requests the engine time saved pays for the training.

    n = ceil(train_s / (1 / text - 1 / adapter)), both in requests a second of a loaded engine;
    never where the adapter is not faster than the text.
    """
    saved_s = 1.0 / text_requests_per_s - 1.0 / adapter_requests_per_s
    return BreakEven(
        skill=skill,
        prefix_cache=prefix_cache,
        train_s=train_s,
        saved_ms=1000.0 * saved_s,
        requests=math.ceil(train_s / saved_s) if saved_s > 0 else None,
    )


def harm_row(
    adapter: str, *, on: str, comparison: Comparison, adapter_mean: float, base_mean: float
) -> HarmRow:
    """One adapter against the base on items it was not made for (`comparison.a` is the adapter)."""
    return HarmRow(
        adapter=adapter,
        on=on,
        n=comparison.n,
        mean=adapter_mean,
        base_mean=base_mean,
        diff=comparison.diff,
        ci=comparison.ci,
        only_adapter=comparison.discordant.only_a,
        only_base=comparison.discordant.only_b,
    )


def _bar(result: ClauseResult, names: Mapping[str, str]) -> Bar:
    clause, seen = result.clause, result.seen
    plain = clause.what.type == "measured"
    figure = names.get(str(clause.what), str(clause.what))
    if clause.type != "within" and clause.on != "estimate":
        figure += f", {clause.on} end of the interval"
    limit = (
        figures.plain(clause.bar)
        if plain
        else f"{figures.points(clause.bar)} points".replace(".0 ", " ")
    )
    if clause.type == "within":
        limit = limit.lstrip("+")
    shown = ""
    if seen is not None and plain:
        shown = figures.plain(seen.estimate)
    elif seen is not None:
        interval = figures.points_interval((seen.low, seen.high))
        shown = f"{figures.points(seen.estimate)} ({interval})"
    return Bar(
        figure=figure,
        bar=f"{clause.type} {limit}",
        seen=shown,
        met="not measured" if seen is None else "met" if result.holds else "missed",
        note=result.note,
    )


def _chosen(result: ItemResult, known: set[str]) -> str:
    """The column of a reply: its skill, the abstention, or a skill outside the matrix."""
    name = result.route.partition("@")[0]
    if result.form == "none" or name in {"", "base"}:
        return ABSTAINED
    return name if name in known else ANOTHER
