"""What the string world's programmatic teacher reads out of a payload.

Owns reading, with errors that name the key. Refuses to own answers.
"""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from ...adapters.errors import UsageError
from ..worlds.string_skills.spec import SkillSpec
from ..worlds.string_skills.texts import random_operations
from .induction import induced
from .roles import TRUTH, Payload

Rng = random.Random
Rows = list[dict[str, str]]


def spec_of(told: Payload, rows: str = "examples") -> SkillSpec | None:
    """The checker that it was told, or what the examples show."""
    if TRUTH in told:
        try:
            return SkillSpec.from_json(str(told[TRUTH]))
        except ValueError as err:
            raise UsageError(f"the truth {told[TRUTH]!r} is no checker: {err}") from err
    return induced(rows_of(told, rows))


def rows_of(told: Payload, key: str) -> Rows:
    value = told.get(key, [])
    if not isinstance(value, list | tuple) or not all(isinstance(row, Mapping) for row in value):
        raise UsageError(f"{key!r} is {value!r}; expected a list of objects")
    return cast(Rows, list(value))


def broken(spec: SkillSpec, rng: Rng) -> SkillSpec:
    """The same skill with one operation that does something else."""
    at = rng.randrange(len(spec.operations))
    operations = list(spec.operations)
    while operations[at].kind == spec.operations[at].kind:
        operations[at] = random_operations(rng, 1)[0]
    return replace(spec, operations=tuple(operations))
