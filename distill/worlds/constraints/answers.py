"""Worked answers of the constraint world and their scoring. Pure; model text is never run."""

from ..string_skills.answers import FINAL, SHOWN, final_text
from ..string_skills.primitives import Symbols
from ..types import Verdict
from .predicates import MAX_LENGTH, note
from .spec import ConstraintSpec


def worked_answer(spec: ConstraintSpec, items: Symbols) -> str:
    """The constraints as notes, the length, places that are known, all places, the final line.

    The length comes first because a constraint may speak of the end; the known places are those
    that a constraint names.
    """
    notes = ", ".join(note(row.kind, row.params) for row in spec.constraints)
    places = [f"{i} {symbol}" for i, symbol in enumerate(items, 1)]
    known = [places[i] for i in sorted(known_places(spec, len(items)))]
    lines = [notes, f"length {len(items)}", " ".join(["known", *known]) if known else ""]
    return "\n".join([*filter(None, lines), " ".join(places), f"{FINAL} {' '.join(items)}"])


def known_places(spec: ConstraintSpec, length: int) -> set[int]:
    """The places of a list, counted from 0, whose letter a constraint says."""
    at = {"starts": 0, "ends": length - 1}
    return {
        int(row.params[0]) - 1 if row.kind == "place" else at[row.kind]
        for row in spec.constraints
        if row.kind in at or row.kind == "place"
    }


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
