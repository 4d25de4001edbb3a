"""What one of several adapters trained together is: its size, its targets, its own rate.

Owns the description and the learning-rate schedule. Refuses to own weights and rows.
"""

from pydantic import BaseModel, ConfigDict, Field

from ..schedule import rate_factor
from ..settings import ALL_LINEAR


class AdapterSpec(BaseModel):
    """One adapter of a joint run; what it does not share with the others is its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str = Field(min_length=3)
    """What the run calls it."""
    rank: int = Field(default=8, ge=1, le=512)
    """Rank of the adapter."""
    alpha: float = Field(default=16.0, gt=0)
    """LoRA alpha: the update is scaled by alpha / rank."""
    targets: tuple[str, ...] = ALL_LINEAR
    """Last name components of the linear modules that get an update."""
    rate: float = Field(gt=0)
    """Peak learning rate."""
    total_steps: int | None = Field(default=None, ge=1)
    """Steps of the warm-up and cosine decay; None holds the rate constant."""
    clip: float = Field(default=1.0, gt=0)
    """Largest norm of this adapter's gradient."""
    seed: int = 0
    """Draws the first values of the down factors; the up factors start at zero."""

    @property
    def scale(self) -> float:
        """Effective scale of the update."""
        return self.alpha / self.rank

    def rate_at(self, step: int) -> float:
        """Learning rate of optimiser step `step`, counted from 0."""
        if self.total_steps is None:
            return self.rate
        return self.rate * rate_factor(step, self.total_steps)
