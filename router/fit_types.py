"""What a router is fitted on: skills with their requests, and labelled dev states. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from .types import Form, State


@dataclass(frozen=True, slots=True)
class RoutedSkill:
    """One skill as the router knows it."""

    name: str
    """`[namespace/]name`, as in the model string."""
    description: str
    requests: tuple[str, ...] = ()
    """Requests its adapter was trained on; empty where it was never trained."""
    form: Form = "text"
    """By evidence, see `forms.choose_form`."""
    digest: str = ""
    """Version digest of the adapter, or digest of the skill folder where there is none."""


@dataclass(frozen=True, slots=True)
class DevState:
    """A state with the skill it belongs to; None: outside every skill."""

    state: State
    skill: str | None


@dataclass(frozen=True, slots=True)
class DevFigures:
    """How one candidate did on dev, with the threshold fitted on the same states."""

    threshold: float
    right: float
    """Share of skill states routed to their own skill."""
    abstained: float
    """Share of outside states it abstained on."""

    @property
    def accuracy(self) -> float:
        """Mean of the two shares: what candidates are compared by."""
        return (self.right + self.abstained) / 2
