"""Which names for which operations, and which compositions, no base ever sees. Pure.

A name is held out for a kind of operation by the hash of both: in a held-out skill every function
is one of these. A composition is held out where the string world holds the same order of kinds
out, as a whole or as a part of two or three, so that no world shows what another keeps back.
"""

import functools
import hashlib
import itertools
from collections.abc import Sequence

from ..string_skills.primitives import PRIMITIVES
from ..string_skills.spec import Operation, SkillSpec
from ..string_skills.split import OPEN_FORMAT, held_out_parts
from ..string_skills.topics import TOPICS
from .spec import Chain, FunctionsSpec

HELD_OUT_SHARE = 0.15
_ANY_TOPIC = next(iter(TOPICS))


def is_name_held_out(name: str, kind: str) -> bool:
    """True where the base must never have seen a function of this name do this."""
    digest = hashlib.sha256(f"fg:{name}={kind}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64 < HELD_OUT_SHARE


@functools.cache
def kinds_for(name: str, *, held_out: bool) -> tuple[str, ...]:
    """The kinds of operation that are, or are not, held out under a name."""
    return tuple(kind for kind in PRIMITIVES if is_name_held_out(name, kind) == held_out)


def held_out_compositions(operations: Sequence[Operation]) -> tuple[str, ...]:
    """The orders of kinds in a composition that are held out; always empty for one operation."""
    return held_out_parts(SkillSpec(tuple(operations), OPEN_FORMAT, _ANY_TOPIC))


def is_held_out(spec: FunctionsSpec) -> bool:
    """True where some function has a name that is held out for its operation."""
    return any(is_name_held_out(name, operation.kind) for name, operation in spec.functions)


@functools.lru_cache(maxsize=256)
def chains(spec: FunctionsSpec) -> tuple[Chain, ...]:
    """Every call that a skill's requests may make, whether or not a list suits it."""
    calls = (
        chain
        for chain in itertools.product(spec.called, repeat=spec.depth)
        if all(one != two for one, two in itertools.pairwise(chain))
    )
    if spec.compositions == "any":
        return tuple(calls)
    wanted = spec.compositions == "held-out"
    return tuple(
        chain for chain in calls if bool(held_out_compositions(spec.operations(chain))) == wanted
    )
