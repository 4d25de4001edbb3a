"""Draws of the constraint world: skills by number of constraints, and letters to choose from."""

import random

from ..string_skills.primitives import ALPHABET, Symbols
from ..string_skills.topics import TOPICS
from .predicates import MAX_LENGTH, PREDICATES, parameter_values
from .solve import solve
from .spec import Constraint, ConstraintSpec
from .split import is_held_out

MAX_TRIES = 200
"""Draws of letters in a row that may have no answer before a skill is refused."""

_PROBES = 3
_STRONG = tuple(row.kind for row in PREDICATES.values() if row.strong)


def random_constraints(rng: random.Random, num_constraints: int) -> ConstraintSpec | None:
    """One attempt at a set of constraints; None where they do not go together."""
    first = rng.choice(_STRONG)
    others = [kind for kind in PREDICATES if kind != first]
    kinds = [first, *rng.sample(others, num_constraints - 1)]
    rng.shuffle(kinds)
    rows = tuple(Constraint(kind, rng.choice(parameter_values(kind))) for kind in kinds)
    try:
        return ConstraintSpec(rows, rng.choice(tuple(TOPICS)))
    except ValueError:
        return None


def draw_spec(rng: random.Random, num_constraints: int, *, held_out: bool) -> ConstraintSpec:
    """Draw a skill that has answers for nearly all letters that a request may offer."""
    while True:
        spec = random_constraints(rng, num_constraints)
        if spec is None or is_held_out(spec) != held_out:
            continue
        if answerable(spec, rng):
            return spec


def answerable(spec: ConstraintSpec, rng: random.Random) -> bool:
    """Whether each of a few draws of letters has an answer."""
    return all(solve(spec.constraints, letters_for(spec, rng)) is not None for _ in range(_PROBES))


def letters_for(spec: ConstraintSpec, rng: random.Random) -> Symbols:
    """Letters that a request offers: those that the constraints name, and others, mixed."""
    named = spec.symbols
    others = [x for x in ALPHABET if x not in named]
    letters = [*named, *rng.sample(others, MAX_LENGTH - len(named))]
    rng.shuffle(letters)
    return tuple(letters)


def solved_letters(spec: ConstraintSpec, rng: random.Random) -> tuple[Symbols, Symbols]:
    """Letters that have an answer, and the expert's.

    Raises:
        ValueError: none of many draws has one.
    """
    for _ in range(MAX_TRIES):
        letters = letters_for(spec, rng)
        found = solve(spec.constraints, letters)
        if found is not None:
            return letters, found
    raise ValueError(
        f"{spec.to_json()} has an answer for none of {MAX_TRIES} draws of {MAX_LENGTH} letters; "
        "use fewer constraints"
    )
