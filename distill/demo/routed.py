"""Requests that belong to no skill, as items: right is to abstain, and no answer is right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..worlds.types import Message, Split, Verdict

STRAY = "(no skill)"


@dataclass(frozen=True)
class StrayItem:
    """One request about a topic that no skill has."""

    request: str
    id: str
    family: str = STRAY
    split: Split = "test"

    @property
    def messages(self) -> tuple[Message, ...]:
        return ({"role": "user", "content": self.request},)

    @property
    def meta(self) -> Mapping[str, str]:
        return {}

    def verify(self, text: str) -> Verdict:
        return Verdict(False, 0.0, "no skill applies: only the route is judged")


def stray_items(requests: Sequence[str]) -> list[StrayItem]:
    """One item a request."""
    return [StrayItem(request, f"stray-{index}") for index, request in enumerate(requests)]
