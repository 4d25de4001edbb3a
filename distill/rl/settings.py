"""What a user may say about an RL run, and what each method's name stands for. Pure, no torch.

Owns the numbers. Refuses to own what is done with them: a method is nothing but a row of
`METHODS`, read by `policy_loss` and the advantages of `learning/`. To add a method: a row, its
source, and a row of the parity test of `update.py`.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..learning.settings import ALL_LINEAR

MethodName = Literal["grpo", "dapo", "dr_grpo", "rloo"]
AdvantageName = Literal["group_normalised", "dr_grpo", "leave_one_out"]
"""Functions of `learning/advantages.py`."""
Aggregation = Literal["token", "sequence", "dr"]
"""How losses of tokens become one; see `learning/losses.py`."""
ZeroVariance = Literal["keep", "drop", "resample"]
"""What becomes of a group whose rewards are all equal: it counts in the mean of the batch though
it moves nothing, it is left out, or other tasks are drawn in its place."""
Clip = Annotated[float, Field(gt=0)] | Literal["off"]

TINY_RATE = 1e-3
"""Suits the shipped base, whose hidden size is 256."""
USUAL_RATE = 1e-5
"""Usual for RL with LoRA on models of a billion parameters and more."""


class Method(BaseModel):
    """One way to learn from groups of rewards, every number said."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    advantage: AdvantageName
    """From rewards of a group to advantages."""
    aggregation: Aggregation
    """From losses of tokens to one."""
    clip_low: Clip
    """How far below 1 a ratio counts; `off` does not clip."""
    clip_high: Clip
    """How far above 1 a ratio counts; `off` does not clip."""
    kl: float = Field(ge=0)
    """Coefficient of the k3 estimate of KL(policy || base); 0 leaves the base out."""
    zero_variance: ZeroVariance
    """What becomes of groups of equal rewards."""

    @property
    def clip(self) -> tuple[float | None, float | None]:
        """Both bounds as `policy_loss` takes them."""
        low, high = (None if one == "off" else one for one in (self.clip_low, self.clip_high))
        return low, high


METHODS: dict[MethodName, Method] = {
    # arXiv:2402.03300 section 4.1: equation 3, beta of section 4.2
    "grpo": Method(
        advantage="group_normalised", aggregation="sequence", clip_low=0.2, clip_high=0.2,
        kl=0.04, zero_variance="keep",
    ),
    # arXiv:2503.14476 sections 2.3 and 3: no KL, clip higher, dynamic sampling, the mean of tokens
    "dapo": Method(
        advantage="group_normalised", aggregation="token", clip_low=0.2, clip_high=0.28,
        kl=0.0, zero_variance="resample",
    ),
    # arXiv:2503.20783 section 3.3: no spread, a fixed length
    "dr_grpo": Method(
        advantage="dr_grpo", aggregation="dr", clip_low=0.2, clip_high=0.2,
        kl=0.0, zero_variance="keep",
    ),
    # arXiv:2402.14740 equation 8: REINFORCE, a sum over tokens. Departs: the KL of its beta stands
    # in the loss, not in the reward; the sum is over `answer_tokens`, which Adam does not see
    "rloo": Method(
        advantage="leave_one_out", aggregation="dr", clip_low="off", clip_high="off",
        kl=0.03, zero_variance="keep",
    ),
}  # fmt: skip
"""Every preset, with its paper's numbers."""


class RlSettings(BaseModel):
    """One RL run. A field of a method that is given stands in for the preset's."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    method: MethodName = "grpo"
    """The preset."""
    advantage: AdvantageName | None = None
    """From rewards of a group to advantages; None: the method's."""
    aggregation: Aggregation | None = None
    """From losses of tokens to one; None: the method's."""
    clip_low: Clip | None = None
    """How far below 1 a ratio counts, `off` does not clip; None: the method's."""
    clip_high: Clip | None = None
    """How far above 1 a ratio counts, `off` does not clip; None: the method's."""
    kl: float | None = Field(default=None, ge=0)
    """Coefficient of the KL to the base; None: the method's."""
    zero_variance: ZeroVariance | None = None
    """What becomes of groups of equal rewards; None: the method's."""
    max_redraws: int = Field(default=3, ge=0)
    """How often a step draws other tasks for groups of equal rewards, under `resample`."""

    num_steps: int = Field(default=60, ge=1)
    """Optimiser steps."""
    tasks_per_step: int = Field(default=16, ge=1)
    """Tasks of one step, each of which is a group."""
    samples: int = Field(default=8, ge=2)
    """Answers to each task."""
    answer_tokens: int = Field(default=128, ge=1)
    """Bound on one answer; the fixed length of aggregation `dr`."""
    inner_steps: int = Field(default=1, ge=1)
    """Optimiser steps on the same trajectories; above 1 the ratio of the loss leaves 1."""
    micro_rows: int | None = Field(default=None, ge=1)
    """Rows of a learner that are computed at once; None: all. The step is the same."""

    max_staleness: int | None = Field(default=None, ge=0)
    """By how many versions a trajectory may be older than what it is learned by; None: 1, and 0 in
    deterministic mode."""
    deterministic: bool = False
    """No overlap, one engine thread, a seed for each request."""
    tis_cap: float = Field(default=2.0, ge=1)
    """Largest importance weight of a token, trainer over sampler."""
    mismatch_factor: float = Field(default=10.0, gt=1)
    """The run stops where mean |trainer - sampler| is above this many times its first value."""
    mismatch_floor: float = Field(default=0.05, gt=0)
    """And above this, in nats: what agreement in bfloat16 is allowed, and half of what another
    adapter differs by."""

    rate: float | None = Field(default=None, gt=0)
    """Learning rate of AdamW; None: `TINY_RATE` on the shipped base, else `USUAL_RATE`."""
    rank: int = Field(default=8, ge=1, le=512)
    """Rank of the adapter."""
    alpha: float = Field(default=16.0, gt=0)
    """LoRA alpha: the update is scaled by alpha / rank."""
    targets: tuple[str, ...] = ALL_LINEAR
    """Last name components of the linear modules that get an update."""
    clip_norm: float = Field(default=1.0, gt=0)
    """Largest norm of a learner's gradient."""
    seed: int = 0
    """Of the run: tasks, contexts, sampling and first weights."""
    retention_every: int = Field(default=10, ge=0)
    """Steps between two probes of other skills; 0: none."""
    checkpoint_every: int = Field(default=1, ge=1)
    """Steps between two checkpoints."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.deterministic and self.max_staleness:
            raise ValueError(
                f"deterministic with max_staleness {self.max_staleness}: a deterministic run does "
                "not overlap; expected max_staleness 0, or neither"
            )
        low = self.resolved.clip_low
        if low != "off" and low >= 1:
            raise ValueError(
                f"clip_low is {low}: expected it below 1, or 'off'; a ratio is never below 0"
            )
        return self

    @property
    def resolved(self) -> Method:
        """The method with what was given in place of the preset's."""
        given = {name: getattr(self, name) for name in Method.model_fields}
        said = {name: value for name, value in given.items() if value is not None}
        return METHODS[self.method].model_copy(update=said)

    @property
    def staleness(self) -> int:
        """By how many versions a trajectory may be behind."""
        if self.max_staleness is not None:
            return self.max_staleness
        return 0 if self.deterministic else 1

    def on(self, *, tiny: bool) -> "RlSettings":
        """The same settings with the rate that suits the base."""
        rate = self.rate or (TINY_RATE if tiny else USUAL_RATE)
        return self.model_copy(update={"rate": rate})
