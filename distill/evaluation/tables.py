"""Arms and comparisons as Markdown and CSV tables; pure text.

Owns: column order and number formats of the plain tables. Refuses to own: HTML and terminals
(`distill.report`). Percent have one decimal; CSV keeps full precision.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from .types import ArmSummary, Comparison

_ARMS = ("arm", "mean", "low", "high", "n", "failures", "prompt_tokens", "completion_tokens")
_PAIRS = ("a", "b", "diff", "low", "high", "only_a", "only_b", "p_mcnemar", "n")


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
            (c.a, c.b, c.diff, *c.ci, c.discordant.only_a, c.discordant.only_b, c.p_mcnemar, c.n)
            for c in comparisons
        ),
    )


def arms_markdown(arms: Iterable[ArmSummary]) -> str:
    """A table of the arms in percent, as it goes into documents."""
    return _markdown(
        ("arm", "passed %", "95 % interval", "items", "failed", "prompt tokens", "answer tokens"),
        [
            (
                a.name,
                f"{100 * a.mean:.1f}",
                f"{100 * a.ci[0]:.1f} to {100 * a.ci[1]:.1f}",
                str(a.n),
                str(a.failures),
                f"{a.tokens.prompt:.1f}",
                f"{a.tokens.completion:.1f}",
            )
            for a in arms
        ],
    )


def comparisons_markdown(comparisons: Iterable[Comparison]) -> str:
    """A table of the comparisons in points, as it goes into documents."""
    return _markdown(
        ("comparison", "points", "95 % interval", "only first", "only second"),
        [
            (
                f"{c.a} minus {c.b}",
                f"{100 * c.diff:+.1f}",
                f"{100 * c.ci[0]:+.1f} to {100 * c.ci[1]:+.1f}",
                str(c.discordant.only_a),
                str(c.discordant.only_b),
            )
            for c in comparisons
        ],
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
