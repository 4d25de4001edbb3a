"""Which facts and which manipulations of which class no base ever sees; draws tables by that rule.

A fact is held out by the hash of its entity and code: a held-out table holds none but such facts,
a table for pretraining none of them. A manipulation is held out in a class by the hash of both
names: a base sees it in other classes only. Plain recall is never held out in that way. Membership
is a hash, so no order of generation can change it.
"""

import hashlib
import random
from collections.abc import Sequence

from ..string_skills.primitives import ALPHABET, Symbols
from .classes import CLASSES, DIGITS, PATTERNS
from .manipulations import Fact, of_level
from .spec import FactsSpec

HELD_OUT_SHARE = 0.15
TABLE_SIZES = (4, 5, 6, 7)
MANIPULATIONS_A_SKILL = 3
"""Most manipulations that the requests of one drawn skill use."""


def _hashed_out(key: str) -> bool:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) / 2**64 < HELD_OUT_SHARE


def is_fact_held_out(entity: str, code: Symbols) -> bool:
    """True where the base must never have seen that this entity has this code."""
    return _hashed_out(f"facts:{entity}={' '.join(code)}")


def is_asking_held_out(manipulation: str, entity_class: str) -> bool:
    """True where the base must never have seen this manipulation on entities of this class."""
    return manipulation != "recall" and _hashed_out(f"facts:{manipulation}@{entity_class}")


def is_held_out(spec: FactsSpec) -> bool:
    """True where something in the table or in its manipulations is held out."""
    return any(is_fact_held_out(*fact) for fact in spec.facts) or any(
        is_asking_held_out(name, spec.entity_class) for name in spec.manipulations
    )


def askings(entity_class: str, level: int, *, held_out: bool) -> tuple[str, ...]:
    """The manipulations of a level that are, or are not, held out in a class."""
    return tuple(n for n in of_level(level) if is_asking_held_out(n, entity_class) == held_out)


def draw_facts(entities: Sequence[str], rng: random.Random, *, held_out: bool) -> tuple[Fact, ...]:
    """Give each entity a code that nobody else has; codes of two and of three symbols both occur.

    Args:
        entities: at least two.
    """
    sizes = [2, 3, *(rng.choice((2, 3)) for _ in entities[2:])]
    rng.shuffle(sizes)
    facts: dict[Symbols, str] = {}
    for entity, size in zip(entities, sizes, strict=True):
        while True:
            code = draw_code(rng, size)
            if code not in facts and is_fact_held_out(entity, code) == held_out:
                facts[code] = entity
                break
    return tuple((entity, code) for code, entity in facts.items())


def draw_code(rng: random.Random, size: int) -> Symbols:
    """A code of two or three different symbols."""
    pattern = rng.choice([p for p in PATTERNS if len(p) == size])
    letters, digits = iter(rng.sample(ALPHABET, size)), iter(rng.sample(DIGITS, size))
    return tuple(next(letters if mark == "l" else digits) for mark in pattern)


def draw_spec(
    rng: random.Random, level: int, *, held_out: bool, entity_class: str | None = None
) -> FactsSpec:
    """Draw a table with up to three manipulations of one level.

    Held out: every fact is, and from level 2 on at least one manipulation is in its class, where
    the class is not given. Otherwise nothing is.
    """
    choices = [name for name in CLASSES if level == 1 or askings(name, level, held_out=held_out)]
    chosen = entity_class or rng.choice(choices)
    entities = rng.sample(CLASSES[chosen], rng.choice(TABLE_SIZES))
    sure = askings(chosen, level, held_out=True)[:1] if held_out else ()
    names = of_level(level) if held_out else askings(chosen, level, held_out=False)
    others = [name for name in names if name not in sure]
    rng.shuffle(others)
    asked = (*sure, *others)[:MANIPULATIONS_A_SKILL]
    return FactsSpec(chosen, draw_facts(entities, rng, held_out=held_out), asked)
