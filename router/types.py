"""The words of routing: a state comes in, a route goes out. Pure.

Owns the frozen values that selectors and the gateway exchange, and the `Selector` protocol.
Refuses to own features, scores and files: those belong to the selectors.
To add a selector: a class with `route`; nothing here changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

Form = Literal["adapter", "text", "none"]
"""How a skill enters an answer: as weights, as text in the system message, or not at all."""


@dataclass(frozen=True)
class Message:
    """One turn as the policy sees it; `content` is plain text."""

    role: str
    content: str


@dataclass(frozen=True)
class State:
    """What the policy sees at one decision.

    `messages` holds the whole conversation, oldest first. `session` is the client's own mark of a
    conversation (`x-skillweave-session`), None where it sent none.
    """

    messages: tuple[Message, ...]
    session: str | None = None


@dataclass(frozen=True)
class Choice:
    """One skill of a route: its id (`[namespace/]name`), its form and its weight in a mixture."""

    skill: str
    form: Form = "adapter"
    weight: float = 1.0


@dataclass(frozen=True)
class Route:
    """What a selector decided.

    An empty `choice` is an abstention: the base answers. `reason` is one short line for a header
    and a log; `scores` holds what the decision was made from, by skill id.
    """

    choice: tuple[Choice, ...] = ()
    reason: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)


@runtime_checkable
class Selector(Protocol):
    """Anything that can route a state. Must not change the state, and must be cheap."""

    def route(self, state: State) -> Route: ...
