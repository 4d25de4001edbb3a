"""The one paragraph on top of a report: what was seen, in plain words, met or missed.

Owns: sentences made from the figures alone, so that the paragraph cannot say more than the
tables. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import figures
from .model import Bar, Report


def verdict_line(report: Report) -> str:
    """One line: how many bars were met, or that none were set."""
    if not report.bars:
        return "No bars were set for this run."
    met = sum(bar.met == "met" for bar in report.bars)
    if met == len(report.bars):
        return f"All {met} bars are met." if met > 1 else "The one bar is met."
    return f"{met} of {len(report.bars)} bars are met."


def summary(report: Report) -> str:
    """The paragraph: the arms, the bars that are missed, what was not measured, the notes."""
    sentences = [_scale(report), *_arms(report), verdict_line(report), *_missed(report.bars)]
    sentences += [f"Not measured in this run: {_list(_absent(report))}."] * bool(_absent(report))
    sentences += list(report.notes)
    return " ".join(sentence for sentence in sentences if sentence)


def _scale(report: Report) -> str:
    if not report.arms:
        return "No arm was evaluated."
    num_items = figures.count(max(arm.n for arm in report.arms))
    skills = f" of {len(report.skills)} skills" if report.skills else ""
    took = sum(report.provenance.wall_s.values())
    within = f", in {figures.seconds(took)} all told" if took else ""
    return f"Every arm answered the same {num_items} items{skills}{within}."


def _arms(report: Report) -> list[str]:
    """The arms from best to worst, in one sentence."""
    ranked = sorted(report.arms, key=lambda arm: -arm.mean)
    if not ranked:
        return []
    parts = [f"{arm.name} {figures.percent(arm.mean)}\u00a0%" for arm in ranked]
    sentence = f"They passed: {_list(parts)}."
    failed = sum(arm.failures for arm in report.arms)
    if failed:
        sentence += f" {figures.count(failed)} requests failed and count as not passed."
    return [sentence]


def _missed(bars: Sequence[Bar]) -> list[str]:
    out = []
    for bar in bars:
        if bar.met == "missed":
            why = f"; {bar.note}" if bar.note else ""
            out.append(f"Missed: {bar.figure}, {bar.seen} (the bar is {bar.bar}{why}).")
        elif bar.met == "not measured":
            out.append(f"Not measured, so not shown: {bar.figure}.")
    return out


def _absent(report: Report) -> list[str]:
    blocks = {
        "the router": report.router,
        "cost": report.cost,
        "harm": report.harm,
        "numeric agreement": report.numeric,
    }
    return [name for name, block in blocks.items() if block is None]


def _list(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
