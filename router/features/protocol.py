"""What a feature must offer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ..scores import Floats


class Features(Protocol):
    """A function from text to a vector of length 1 that needs no model."""

    @property
    def name(self) -> str: ...

    def vector(self, text: str) -> Floats:
        """Shape (D,), length 1, or all zeros where the text holds nothing known."""
        ...

    def arrays(self) -> Mapping[str, Floats]:
        """What must be saved to build it again."""
        ...
