"""A skill of the constraint world as a value: its constraints and its trigger topic. Pure."""

import hashlib
import itertools
import json
from dataclasses import dataclass
from typing import Self

from ..string_skills.primitives import Params, Symbols
from ..string_skills.topics import TOPICS
from .predicates import EXCLUSIVE, MAX_LENGTH, PREDICATES, named_symbols, parameter_values

MAX_CONSTRAINTS = 5


@dataclass(frozen=True)
class Constraint:
    """One predicate with its parameters."""

    kind: str
    params: Params = ()

    def __post_init__(self) -> None:
        if self.kind not in PREDICATES:
            raise ValueError(
                f"constraint {self.kind!r} is unknown, expected one of {', '.join(PREDICATES)}"
            )
        if self.params not in parameter_values(self.kind):
            raise ValueError(
                f"constraint {self.kind!r} got parameters {self.params!r}, expected one of "
                f"{parameter_values(self.kind)[:4]!r} ..."
            )

    def holds(self, items: Symbols) -> bool:
        return PREDICATES[self.kind].holds(items, self.params)

    def can(self, items: Symbols, length: int) -> bool:
        return PREDICATES[self.kind].can(items, length, self.params)

    @property
    def symbols(self) -> Symbols:
        return named_symbols(self.kind, self.params)


@dataclass(frozen=True)
class ConstraintSpec:
    """1 to 5 constraints that a list can satisfy together and of which none follows from others.

    Every kind and every letter stands in one constraint at most, one constraint is strong, and a
    place stays free: so no constraint is decided by the others. A `practice` set need not have a
    strong constraint, so chance may satisfy it: it is for tuning on, and no JSON says it.
    """

    constraints: tuple[Constraint, ...]
    topic: str
    practice: bool = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.constraints) <= MAX_CONSTRAINTS:
            raise ValueError(
                f"a skill has 1 to {MAX_CONSTRAINTS} constraints, got {len(self.constraints)}"
            )
        if self.topic not in TOPICS:
            raise ValueError(
                f"topic {self.topic!r} is unknown, expected one of {', '.join(TOPICS)}"
            )
        if (problem := self._problem()) is not None:
            raise ValueError(f"{self.to_json()}: {problem}")

    def _problem(self) -> str | None:
        kinds = [constraint.kind for constraint in self.constraints]
        if len(set(kinds)) < len(kinds):
            return "a kind stands twice, expected each once"
        for pair in itertools.combinations(kinds, 2):
            if frozenset(pair) in EXCLUSIVE:
                return f"{pair[0]} and {pair[1]} never stand in one skill"
        if len(set(self.symbols)) < len(self.symbols):
            return "a letter is named twice, expected each in one constraint"
        if not self.practice and not any(PREDICATES[kind].strong for kind in kinds):
            strong = [row.kind for row in PREDICATES.values() if row.strong]
            return f"chance would satisfy it, expected one of {', '.join(strong)}"
        if sum(PREDICATES[kind].needs for kind in kinds) >= self.longest:
            return "the constraints fill every place, expected one that is free"
        return None

    @property
    def symbols(self) -> Symbols:
        """The letters that the constraints name."""
        return tuple(x for constraint in self.constraints for x in constraint.symbols)

    @property
    def longest(self) -> int:
        """The most letters that an answer may have."""
        counts = [int(row.params[0]) for row in self.constraints if row.kind == "count"]
        return counts[0] if counts else MAX_LENGTH

    def broken(self, items: Symbols) -> tuple[Constraint, ...]:
        """The constraints that a list does not satisfy."""
        return tuple(row for row in self.constraints if not row.holds(items))

    def to_json(self) -> str:
        """One line that `from_json` reads back; kept in a skill's metadata as its checker."""
        rows = [[row.kind, *row.params] for row in self.constraints]
        return json.dumps({"constraints": rows, "topic": self.topic})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a checker back.

        Raises:
            ValueError: not JSON of that shape, or a set of constraints that no skill has.
        """
        try:
            data = json.loads(text)
            rows = tuple(Constraint(row[0], tuple(row[1:])) for row in data["constraints"])
            return cls(rows, data["topic"])
        except (KeyError, TypeError, IndexError, AttributeError) as err:
            raise ValueError(f"checker {text!r} is not a constraint skill: {err}") from err

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.to_json().encode()).hexdigest()
