"""Arms, comparisons and lifecycle matrices as Markdown, CSV and LaTeX tables; pure text.

Owns: column order and number formats of the plain tables. Refuses to own: HTML and terminals
(`distill.report`). Percent have one decimal; CSV keeps full precision.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from .lifecycle import LifecycleRow
from .types import ArmSummary, Comparison

_ARMS = ("arm", "mean", "low", "high", "n", "failures", "prompt_tokens", "completion_tokens")
_PAIRS = (
    "a", "b", "diff", "low", "high", "only_a", "only_b", "p_mcnemar", "n", "p", "p_holm"
)  # fmt: skip
_ARMS_SHOWN = (
    "arm", "passed %", "95 % interval", "items", "failed", "prompt tokens", "answer tokens"
)  # fmt: skip
_PAIRS_SHOWN = ("comparison", "points", "95 % interval", "only first", "only second")
_LIFECYCLE_SHOWN = (
    "extractor or target", "gain, points", "95 % interval", "negative %", "95 % interval", "cells"
)  # fmt: skip
_TEX_ESCAPES = str.maketrans({c: f"\\{c}" for c in "&%$#_{}"}) | {
    ord("\\"): r"\textbackslash{}", ord("~"): r"\textasciitilde{}", ord("^"): r"\textasciicircum{}"
}  # fmt: skip


def arms_csv(arms: Iterable[ArmSummary]) -> str:
    """One row an arm, shares between 0 and 1, full precision."""
    return _csv(
        _ARMS,
        (
            (a.name, a.mean, *a.ci, a.n, a.failures, a.tokens.prompt, a.tokens.completion)
            for a in arms
        ),
    )


def comparisons_csv(comparisons: Iterable[Comparison]) -> str:
    """One row a comparison, differences between -1 and 1, full precision."""
    return _csv(
        _PAIRS,
        (
            (c.a, c.b, c.diff, *c.ci, c.discordant.only_a, c.discordant.only_b, c.p_mcnemar, c.n,
             c.p, "" if c.p_holm is None else c.p_holm)
            for c in comparisons
        ),
    )  # fmt: skip


def arms_markdown(arms: Iterable[ArmSummary]) -> str:
    """A table of the arms in percent, as it goes into documents."""
    return _markdown(_ARMS_SHOWN, [_arm_row(arm) for arm in arms])


def comparisons_markdown(comparisons: Iterable[Comparison]) -> str:
    """A table of the comparisons in points, as it goes into documents."""
    return _markdown(_PAIRS_SHOWN, [_pair_row(pair) for pair in comparisons])


def lifecycle_markdown(rows: Iterable[LifecycleRow]) -> str:
    """The rows of a lifecycle matrix, gains in points, as it goes into documents."""
    return _markdown(_LIFECYCLE_SHOWN, [_lifecycle_row(row) for row in rows])


def arms_tex(arms: Iterable[ArmSummary]) -> str:
    """The table of `arms_markdown` as a LaTeX `tabular`, for papers; needs `booktabs`."""
    return _tex(_ARMS_SHOWN, [_arm_row(arm) for arm in arms])


def comparisons_tex(comparisons: Iterable[Comparison]) -> str:
    """The table of `comparisons_markdown` as a LaTeX `tabular`; needs `booktabs`."""
    return _tex(_PAIRS_SHOWN, [_pair_row(pair) for pair in comparisons])


def _arm_row(arm: ArmSummary) -> tuple[str, ...]:
    return (
        arm.name,
        f"{100 * arm.mean:.1f}",
        f"{100 * arm.ci[0]:.1f} to {100 * arm.ci[1]:.1f}",
        str(arm.n),
        str(arm.failures),
        f"{arm.tokens.prompt:.1f}",
        f"{arm.tokens.completion:.1f}",
    )


def _pair_row(pair: Comparison) -> tuple[str, ...]:
    return (
        f"{pair.a} minus {pair.b}",
        f"{100 * pair.diff:+.1f}",
        f"{100 * pair.ci[0]:+.1f} to {100 * pair.ci[1]:+.1f}",
        str(pair.discordant.only_a),
        str(pair.discordant.only_b),
    )


def _lifecycle_row(row: LifecycleRow) -> tuple[str, ...]:
    return (
        row.name if row.kind == "extractor" else f"{row.kind} {row.name}",
        f"{100 * row.gain.estimate:+.1f}",
        f"{100 * row.gain.low:+.1f} to {100 * row.gain.high:+.1f}",
        f"{100 * row.negative.estimate:.1f}",
        f"{100 * row.negative.low:.1f} to {100 * row.negative.high:.1f}",
        str(row.num_cells),
    )


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Numbers right, the first column left; a pipe inside a name is escaped."""
    lines = ["| " + " | ".join(header) + " |", "|---" + "|---:" * (len(header) - 1) + "|"]
    for row in rows:
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    return "\n".join(lines) + "\n"


def _tex(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column left, the others right; what LaTeX would read as a command is escaped."""
    lines = [rf"\begin{{tabular}}{{l{'r' * (len(header) - 1)}}}", r"\toprule"]
    for number, row in enumerate([header, *rows]):
        lines.append(" & ".join(cell.translate(_TEX_ESCAPES) for cell in row) + r" \\")
        lines += [r"\midrule"] if number == 0 else []
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"
