"""How much is taken on, and how long it may wait: the numbers that an operator may change. Pure.

Owns the fields and their defaults. Refuses to own what follows from them (`gateway/admission/`).
"""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class AdmissionLimits(BaseModel):
    """Bounds of the queue; `[admission]` in serve.toml.

    Slots are the places of an engine's batch that adapters take turns in (`--max-loras`). What is
    said below about turns matters only while more adapters are asked for than there are slots.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    max_requests: int = Field(default=2048, ge=1)
    """Requests in hand at once, waiting or being answered; one more is told to come again."""
    max_requests_per_tenant: int = Field(default=1024, ge=1)
    """The same for the requests of one tenant."""
    quantum_s: float = Field(default=0.5, gt=0)
    """How long an adapter keeps its slot while others wait; then its running answers end."""
    linger_s: float = Field(default=0.005, ge=0)
    """How long a slot without a request waits for the next one of its adapter before it is given
    away; about what it costs an engine to exchange an adapter."""
    max_wait_s: float = Field(default=10.0, gt=0)
    """Longest wait for a slot in the gateway. After half of it the quantum of others is cut short;
    after all of it the request is handed to an engine, which lets it in as soon as it can."""
    max_per_adapter: int = Field(default=32, ge=1)
    """Requests of one adapter at one engine while others wait; more would hold its slot long."""
    prefetch: int = Field(default=2, ge=0, le=16)
    """How many of the router's next-best skills are loaded before they are asked for."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.quantum_s > self.max_wait_s:
            raise ValueError(
                f"quantum_s {self.quantum_s} is above max_wait_s {self.max_wait_s}: an adapter "
                "cannot keep its slot for longer than others are made to wait for it"
            )
        if self.max_requests_per_tenant > self.max_requests:
            raise ValueError(
                f"max_requests_per_tenant {self.max_requests_per_tenant} is above max_requests "
                f"{self.max_requests}: one tenant cannot have more requests than all"
            )
        return self
