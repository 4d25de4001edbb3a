"""What a bench prints: rows of figures, each with its bar and an equality check beside it. Pure.

Owns the row's document and the question whether its bar holds. Refuses to own measuring
(`timing.py`) and the figures themselves (one module per bench).
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Op = Literal["<=", ">=", "=="]
_COMPARE: Mapping[Op, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
}


@dataclass(frozen=True)
class Row:
    """One figure.

    `value` is what the bar is about, `op` and `bar` are None for a figure that is only reported.
    `equal` says whether both sides computed the same (True where there is no second side, `theirs`
    None). `n` counts the measurements behind the value; `ours` and `theirs` are what was measured
    on each side, units in their keys; `versions` names what was measured.
    """

    figure: str
    value: float
    n: int
    op: Op | None = None
    bar: float | None = None
    equal: bool = True
    ours: Mapping[str, object] | None = None
    theirs: Mapping[str, object] | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.op is None) != (self.bar is None):
            raise ValueError(f"{self.figure}: op and bar come together, or neither")

    @property
    def holds(self) -> bool:
        """Whether the bar is met; a figure without a bar holds."""
        if self.op is None or self.bar is None:
            return True
        return _COMPARE[self.op](self.value, self.bar)

    def document(self) -> dict[str, object]:
        """The row as JSON."""
        return {
            "figure": self.figure,
            "value": self.value,
            "op": self.op,
            "bar": self.bar,
            "holds": self.holds,
            "equal": self.equal,
            "n": self.n,
            "ours": None if self.ours is None else dict(self.ours),
            "theirs": None if self.theirs is None else dict(self.theirs),
            "versions": dict(self.versions),
        }
