"""How one adapter is trained: what a user may say about it.

Owns the settings and their defaults. Refuses to own the steps (`sft.py`).
"""

from pydantic import BaseModel, ConfigDict, Field

TINY_RATE = 6e-3
"""Suits the shipped base, whose hidden size is 256."""
USUAL_RATE = 2e-4
"""Usual for LoRA on models of a billion parameters and more."""

ALL_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class SftSettings(BaseModel):
    """How an adapter is trained; rates are per optimiser step."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    rank: int = Field(default=16, ge=1, le=512)
    """Rank of the adapter."""
    alpha: float = Field(default=32.0, gt=0)
    """LoRA alpha: the update is scaled by alpha / rank."""
    targets: tuple[str, ...] = ALL_LINEAR
    """Last name components of the linear modules that get an update."""
    rate: float | None = Field(default=None, gt=0)
    """Peak learning rate of AdamW; None: `TINY_RATE` on the shipped base, else `USUAL_RATE`."""
    epochs: int = Field(default=3, ge=1)
    """Most passes over the rows. Training ends after the first one that does not lower the
    held-out loss; the weights of the best one are kept. Without held-out rows all are run."""
    batch_rows: int = Field(default=8, ge=1)
    """Rows of one optimiser step."""
    dev_share: float = Field(default=0.1, ge=0, lt=1)
    """Share of the rows held out for early stopping."""
    clip: float = Field(default=1.0, gt=0)
    """Largest norm of the gradient."""

    def on(self, *, tiny: bool) -> "SftSettings":
        """The same settings with the rate that suits the base."""
        rate = self.rate or (TINY_RATE if tiny else USUAL_RATE)
        return self.model_copy(update={"rate": rate})
