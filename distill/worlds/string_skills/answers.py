"""Worked answers of the string world and their scoring. Pure; model text is never run as code."""

from ..types import Verdict
from .primitives import Symbols
from .spec import SkillSpec

FINAL = "final:"
MAX_CHARS = 20_000
"""A longer answer is not looked at."""

SHOWN = 200
"""Most characters of an answer that a verdict's reason repeats."""


def worked_answer(spec: SkillSpec, items: Symbols) -> str:
    """The reference answer: the list after each step on a line of its own, then the final line."""
    lines = [f"{i}: {' '.join(state)}" for i, state in enumerate(spec.states(items), 1)]
    return "\n".join([*lines, f"{FINAL} {spec.final(items)}"])


def too_long(answer: str) -> Verdict | None:
    """The verdict on an answer that is too long to be looked at; None on any other."""
    if len(answer) <= MAX_CHARS:
        return None
    return Verdict(
        False, 0.0, f"the answer has {len(answer)} characters, expected at most {MAX_CHARS}"
    )


def final_text(answer: str) -> str | Verdict:
    """What stands behind the single `final:` line, white space folded; or why nothing does."""
    if (long := too_long(answer)) is not None:
        return long
    finals = [line.strip() for line in answer.splitlines() if line.strip().startswith(FINAL)]
    if len(finals) != 1:
        return Verdict(False, 0.0, f"{len(finals)} lines begin with {FINAL!r}, expected one")
    return " ".join(finals[0][len(FINAL) :].split())


def score(answer: str, expected: str) -> Verdict:
    """Judge the single `final:` line; the intermediate lines are not scored.

    White space is folded. An answer without a final line, or with several, does not pass.
    """
    seen = final_text(answer)
    if isinstance(seen, Verdict):
        return seen
    if seen == " ".join(expected.split()):
        return Verdict(True, 1.0, "the final line is right")
    return Verdict(False, 0.0, f"the final line is {seen[:SHOWN]!r}, expected {expected!r}")
