"""How much rank an adapter really uses: singular values, and the error that every rank would cost.

Pure. Owns what is read off the singular values. Refuses to own their computation
(`algebra.components`) and drawing. Letters: `P` singular values of one module, falling.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..algebra import components
from ..delta import AdapterDelta


@dataclass(frozen=True)
class Spectrum:
    """Singular values of the update, per module and falling."""

    modules: Mapping[str, tuple[float, ...]]

    @property
    def whole(self) -> tuple[float, ...]:
        """The singular values of all modules together, falling."""
        return tuple(sorted((s for values in self.modules.values() for s in values), reverse=True))

    @property
    def norm(self) -> float:
        """Frobenius norm of the whole update."""
        return math.sqrt(math.fsum(s * s for s in self.whole))

    def error_at(self, rank: int) -> float:
        """Relative Frobenius error of the whole update where every module is cut to `rank`."""
        if self.norm == 0:
            return 0.0
        lost = (s * s for values in self.modules.values() for s in values[rank:])
        return min(1.0, math.sqrt(math.fsum(lost)) / self.norm)

    def error_curve(self) -> tuple[float, ...]:
        """`error_at` for rank 0, 1, ... up to the largest rank of any module; starts at 1, ends
        at 0 (all 0 for an update that is 0).
        """
        longest = max(len(values) for values in self.modules.values())
        return tuple(self.error_at(rank) for rank in range(longest + 1))

    def rank_for(self, share: float) -> int:
        """The smallest rank for all modules that keeps this share of the squared norm."""
        curve = self.error_curve()
        return next(
            rank for rank, error in enumerate(curve) if 1 - error * error >= share or not error
        )

    def document(self) -> dict[str, object]:
        """The spectrum as JSON."""
        return {
            "norm": self.norm,
            "error_at_rank": list(self.error_curve()),
            "rank_for_90_percent": self.rank_for(0.90),
            "rank_for_99_percent": self.rank_for(0.99),
            "modules": {name: list(values) for name, values in self.modules.items()},
        }


def spectrum(delta: AdapterDelta) -> Spectrum:
    """The singular values of every module of an adapter."""
    found = components(delta)
    return Spectrum({name: tuple(one.values_R.tolist()) for name, one in found.items()})
