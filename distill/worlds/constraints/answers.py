"""Worked answers of the constraint world and their scoring. Pure; model text is never run."""

from ..string_skills.answers import FINAL, SHOWN, final_text
from ..string_skills.primitives import Symbols
from ..types import Verdict
from .predicates import MAX_LENGTH, note
from .spec import ConstraintSpec


def worked_answer(spec: ConstraintSpec, items: Symbols) -> str:
    """The constraints as notes, the length, the places one by one, then the final line.

    The length comes first because some constraints speak of the end.
    """
    notes = ", ".join(note(row.kind, row.params) for row in spec.constraints)
    places = " ".join(f"{i} {symbol}" for i, symbol in enumerate(items, 1))
    return f"{notes}\nlength {len(items)}\n{places}\n{FINAL} {' '.join(items)}"


def score(answer: str, spec: ConstraintSpec, letters: Symbols) -> Verdict:
    """Judge the single `final:` line: 1 to 8 of the offered letters that satisfy everything.

    Letters stand with white space between them. Nothing else in the answer is scored.
    """
    seen = final_text(answer)
    if isinstance(seen, Verdict):
        return seen
    if len(seen) > 2 * MAX_LENGTH:
        return Verdict(False, 0.0, f"the final line has {len(seen)} characters, expected letters")
    items = tuple(seen.split())
    if not items:
        return Verdict(False, 0.0, f"the final line is empty, expected 1 to {MAX_LENGTH} letters")
    strange = [item for item in items if item not in letters]
    if strange:
        return Verdict(False, 0.0, f"{strange[0][:SHOWN]!r} is not one of {' '.join(letters)}")
    broken = spec.broken(items)
    if broken:
        noted = ", ".join(note(row.kind, row.params) for row in broken)
        return Verdict(False, 0.0, f"{' '.join(items)!r} breaks: {noted}")
    return Verdict(True, 1.0, "every constraint is satisfied")
