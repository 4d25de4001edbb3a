"""Worked answers of the string world and their scoring. Pure; model text is never run as code."""

from ..types import Verdict
from .primitives import Symbols
from .spec import SkillSpec

FINAL = "final:"


def worked_answer(spec: SkillSpec, items: Symbols) -> str:
    """The reference answer: the list after each step on a line of its own, then the final line."""
    lines = [f"{i}: {' '.join(state)}" for i, state in enumerate(spec.states(items), 1)]
    return "\n".join([*lines, f"{FINAL} {spec.final(items)}"])


def score(answer: str, expected: str) -> Verdict:
    """Judge the single `final:` line; the intermediate lines are not scored.

    White space is folded. An answer without a final line, or with several, does not pass.
    """
    finals = [line.strip() for line in answer.splitlines() if line.strip().startswith(FINAL)]
    if len(finals) != 1:
        return Verdict(False, 0.0, f"{len(finals)} lines begin with {FINAL!r}, expected one")
    seen = " ".join(finals[0][len(FINAL) :].split())
    if seen == " ".join(expected.split()):
        return Verdict(True, 1.0, "the final line is right")
    return Verdict(False, 0.0, f"the final line is {seen!r}, expected {expected!r}")
