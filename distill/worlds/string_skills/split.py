"""Which skills the base may see in pretraining, and which are held out for ever. Pure.

The rule: a one-step skill is held out by its tuple (primitive, parameters, format), but never in
the plain format, in which requests without any skill show every operation to the base; a longer
one by any ordered composition of primitives inside it. An ordered pair or triple that is held out
stands in no pretraining skill, not even as a contiguous part of a longer one. Membership is a
hash, so it needs no list and no order of generation can change it.
"""

import hashlib

from .spec import SkillSpec

HELD_OUT_SHARE = 0.15
OPEN_FORMAT = "plain"
"""The format of tasks that need no skill; no one-step skill in it can be held out."""


def _hashed_out(key: str) -> bool:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) / 2**64 < HELD_OUT_SHARE


def held_out_parts(spec: SkillSpec) -> tuple[str, ...]:
    """The keys in `spec` that are held out; empty when the base may see the skill.

    One step: `primitive(parameters)>format`. More: every contiguous run of two or three
    primitives, and the whole ordered composition.
    """
    kinds = [operation.kind for operation in spec.operations]
    if len(kinds) == 1 and spec.format == OPEN_FORMAT:
        return ()
    if len(kinds) == 1:
        key = f"{kinds[0]}({','.join(spec.operations[0].params)})>{spec.format}"
        return (key,) if _hashed_out(key) else ()
    runs = {
        ">".join(kinds[start : start + length])
        for length in {2, 3, len(kinds)}
        for start in range(len(kinds) - length + 1)
    }
    return tuple(sorted(run for run in runs if _hashed_out(run)))


def is_held_out(spec: SkillSpec) -> bool:
    """True where the base must never have seen this skill."""
    return bool(held_out_parts(spec))
