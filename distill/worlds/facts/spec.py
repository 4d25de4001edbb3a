"""A table of facts as a value: a class, its entities with their codes, and what is asked. Pure."""

import hashlib
import json
from dataclasses import dataclass
from typing import Self

from ..string_skills.primitives import Symbols
from .classes import CLASSES, is_code
from .manipulations import MANIPULATIONS, Fact

MIN_FACTS, MAX_FACTS = 2, 8


@dataclass(frozen=True)
class FactsSpec:
    """The table behind a skill text; `manipulations` are those that its requests use."""

    entity_class: str
    facts: tuple[Fact, ...]
    manipulations: tuple[str, ...]

    def __post_init__(self) -> None:
        known = CLASSES.get(self.entity_class)
        if known is None:
            raise ValueError(
                f"class {self.entity_class!r} is unknown, expected one of {', '.join(CLASSES)}"
            )
        if not MIN_FACTS <= len(self.facts) <= MAX_FACTS:
            raise ValueError(f"a table has {MIN_FACTS} to {MAX_FACTS} facts, got {len(self.facts)}")
        for entity, code in self.facts:
            if entity not in known or not is_code(code):
                raise ValueError(
                    f"fact {entity!r} -> {code!r} is not an entity of class {self.entity_class!r} "
                    "with two or three different letters or digits"
                )
        if len(dict(self.facts)) < len(self.facts) or len({c for _, c in self.facts}) < len(
            self.facts
        ):
            raise ValueError(f"an entity or a code stands twice in {self.facts!r}")
        self._check_manipulations()

    def _check_manipulations(self) -> None:
        names = self.manipulations
        if not names or not all(name in MANIPULATIONS for name in names):
            raise ValueError(
                f"manipulations {names!r}, expected some of {', '.join(MANIPULATIONS)}"
            )
        for name in names:
            if MANIPULATIONS[name].compares and len({len(code) for _, code in self.facts}) < 2:
                raise ValueError(f"{name!r} needs codes of unequal length, got {self.facts!r}")

    def code_of(self, entity: str) -> Symbols:
        """The code of an entity of this table.

        Raises:
            KeyError: it has none.
        """
        return dict(self.facts)[entity]

    def to_json(self) -> str:
        """One line that `from_json` reads back; kept in a skill's metadata as its checker."""
        rows = [[entity, *code] for entity, code in self.facts]
        return json.dumps(
            {"class": self.entity_class, "facts": rows, "ask": list(self.manipulations)}
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a checker back.

        Raises:
            ValueError: not JSON of that shape, or something that this world lacks.
        """
        try:
            data = json.loads(text)
            facts = tuple((row[0], tuple(row[1:])) for row in data["facts"])
            return cls(data["class"], facts, tuple(data["ask"]))
        except (KeyError, TypeError, IndexError, AttributeError) as err:
            raise ValueError(f"checker {text!r} is not a table of facts: {err}") from err

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.to_json().encode()).hexdigest()
