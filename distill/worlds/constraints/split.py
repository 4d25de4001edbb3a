"""Which constraint skills a base may see in pretraining, and which are held out for ever. Pure.

The rule: a constraint on letters is held out by its tuple (kind, letters), a pair of constraints
by its kinds in either order. A skill with a held-out part, however long, is held out. Constraints
without letters have few parameters, so a base sees all of them; what they stand with may be held
out. Membership is a hash.
"""

import hashlib
import itertools

from .spec import ConstraintSpec

HELD_OUT_LETTERS = 0.25
"""Share of (kind, letters): large, because skills of one constraint are held out by it alone."""

HELD_OUT_PAIRS = 0.15
"""Share of pairs of kinds."""


def _hashed_out(key: str, share: float) -> bool:
    digest = hashlib.sha256(f"constraints:{key}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64 < share


def held_out_parts(spec: ConstraintSpec) -> tuple[str, ...]:
    """The parts of `spec` that are held out; empty when a base may see the skill."""
    single = [f"{row.kind}({','.join(row.params)})" for row in spec.constraints if row.symbols]
    kinds = sorted(row.kind for row in spec.constraints)
    pairs = ["+".join(pair) for pair in itertools.combinations(kinds, 2)]
    out = [key for key in single if _hashed_out(key, HELD_OUT_LETTERS)]
    return tuple(sorted(out + [key for key in pairs if _hashed_out(key, HELD_OUT_PAIRS)]))


def is_held_out(spec: ConstraintSpec) -> bool:
    """True where a base must never have seen this skill."""
    return bool(held_out_parts(spec))
