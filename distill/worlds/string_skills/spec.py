"""A skill of the string world as a value: its steps, its output format, its trigger topic. Pure."""

import hashlib
import json
from dataclasses import dataclass
from typing import Self

from .formats import FORMATS
from .primitives import PRIMITIVES, Params, Symbols, parameter_values
from .topics import TOPICS


@dataclass(frozen=True)
class Operation:
    """One primitive with its parameters."""

    kind: str
    params: Params = ()

    def __post_init__(self) -> None:
        if self.kind not in PRIMITIVES:
            raise ValueError(
                f"operation {self.kind!r} is unknown, expected one of {', '.join(PRIMITIVES)}"
            )
        if self.params not in parameter_values(self.kind):
            raise ValueError(
                f"operation {self.kind!r} got parameters {self.params!r}, expected one of "
                f"{parameter_values(self.kind)[:4]!r} ..."
            )

    def __call__(self, items: Symbols) -> Symbols:
        return PRIMITIVES[self.kind].apply(items, self.params)


@dataclass(frozen=True)
class SkillSpec:
    """The procedure behind a skill text: 1 to 6 operations and a format; `topic` triggers it."""

    operations: tuple[Operation, ...]
    format: str
    topic: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.operations) <= 6:
            raise ValueError(f"a skill has 1 to 6 operations, got {len(self.operations)}")
        if self.format not in FORMATS:
            raise ValueError(
                f"format {self.format!r} is unknown, expected one of {', '.join(FORMATS)}"
            )
        if self.topic not in TOPICS:
            raise ValueError(
                f"topic {self.topic!r} is unknown, expected one of {', '.join(TOPICS)}"
            )

    def states(self, items: Symbols) -> tuple[Symbols, ...]:
        """The list after each operation, `len(operations)` of them."""
        out = []
        for operation in self.operations:
            items = operation(items)
            out.append(items)
        return tuple(out)

    def final(self, items: Symbols) -> str:
        """The text that must stand behind `final:`."""
        return FORMATS[self.format].write(self.states(items)[-1])

    def to_json(self) -> str:
        """One line that `from_json` reads back; kept in a skill's metadata as its checker."""
        rows = [[op.kind, *op.params] for op in self.operations]
        return json.dumps({"steps": rows, "format": self.format, "topic": self.topic})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a checker back.

        Raises:
            ValueError: not JSON of that shape, or an operation, format or topic this world lacks.
        """
        try:
            data = json.loads(text)
            operations = tuple(Operation(row[0], tuple(row[1:])) for row in data["steps"])
            return cls(operations, data["format"], data["topic"])
        except (KeyError, TypeError, IndexError, AttributeError) as err:
            raise ValueError(f"checker {text!r} is not a string-world skill: {err}") from err

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.to_json().encode()).hexdigest()
