"""Named functions on lists as a value: names with their operations, and what is asked. Pure.

A *chain* is a nested call as the names in order of application: `blim ( dax ( b c ) )` is
`("dax", "blim")`. No function stands twice running in a chain.
"""

import hashlib
import json
import operator
from dataclasses import dataclass
from typing import Literal, Self

from ..string_skills.primitives import Symbols
from ..string_skills.spec import Operation

NAMES = tuple(
    "blim crop dax fep gorp hulm jask kiv lorn mib nuk pesh quib rast tolm vex wug yop zind".split()
)
"""What functions may be called: words that mean nothing."""

MAX_DEPTH, MAX_FUNCTIONS = 5, 8

Chain = tuple[str, ...]
Compositions = Literal["any", "seen", "held-out"]


@dataclass(frozen=True)
class FunctionsSpec:
    """The functions behind a skill text, and the calls that its requests make.

    Args:
        depth: of every call that is asked for.
        asked: the functions that calls use; empty for all.
        compositions: which calls, by whether a base may have seen this order of operations.
    """

    functions: tuple[tuple[str, Operation], ...]
    depth: int
    asked: tuple[str, ...] = ()
    compositions: Compositions = "any"

    def __post_init__(self) -> None:
        names = [name for name, _ in self.functions]
        if not 1 <= len(names) <= MAX_FUNCTIONS or len(set(names)) < len(names):
            raise ValueError(f"1 to {MAX_FUNCTIONS} functions, each named once, got {names!r}")
        if not set(names) <= set(NAMES):
            raise ValueError(f"functions {names!r}, expected names among {', '.join(NAMES)}")
        if not set(self.asked) <= set(names):
            raise ValueError(f"asked for {self.asked!r}, expected some of {names!r}")
        if not 1 <= self.depth <= MAX_DEPTH:
            raise ValueError(f"depth {self.depth!r}, expected 1 to {MAX_DEPTH}")
        if self.depth > 1 and len(self.called) < 2:
            raise ValueError(f"depth {self.depth} needs two functions, got {self.called!r}")
        if self.compositions not in ("any", "seen", "held-out"):
            raise ValueError(f"compositions {self.compositions!r}, expected any, seen or held-out")

    @property
    def called(self) -> tuple[str, ...]:
        """The functions that calls use."""
        return self.asked or tuple(name for name, _ in self.functions)

    def operations(self, chain: Chain) -> tuple[Operation, ...]:
        """The operations of a call in order of application.

        Raises:
            KeyError: a function that is not defined here.
        """
        table = dict(self.functions)
        return tuple(table[name] for name in chain)

    def states(self, chain: Chain, items: Symbols) -> tuple[Symbols, ...]:
        """The list after each function of a call, innermost first."""
        out = []
        for operation in self.operations(chain):
            items = operation(items)
            out.append(items)
        return tuple(out)

    def to_json(self) -> str:
        """One line that `from_json` reads back; kept in a skill's metadata as its checker."""
        return json.dumps(
            {
                "functions": [[name, op.kind, *op.params] for name, op in self.functions],
                "depth": self.depth,
                "ask": list(self.asked),
                "compositions": self.compositions,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a checker back.

        Raises:
            ValueError: not JSON of that shape, or a name or operation that this world lacks.
        """
        try:
            data = json.loads(text)
            functions = tuple(
                (row[0], Operation(row[1], tuple(row[2:]))) for row in data["functions"]
            )
            return cls(
                functions, operator.index(data["depth"]), tuple(data["ask"]), data["compositions"]
            )
        except (KeyError, TypeError, IndexError, AttributeError) as err:
            raise ValueError(f"checker {text!r} does not define functions: {err}") from err

    @property
    def definitions_digest(self) -> str:
        """Of the functions alone, whatever is asked of them."""
        return hashlib.sha256(repr(self.functions).encode()).hexdigest()
