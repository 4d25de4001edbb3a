"""How an answer is drawn. Pure.

Owns the one value that every policy reads. Refuses to own how a backend draws.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

FORBID = ConfigDict(extra="forbid")
"""How a value of ours is read from JSON: a field that it does not have is an error."""


@dataclass(frozen=True)
class Sampling:
    """How an answer is drawn; temperature 0 is greedy.

    Args:
        temperature: the logits are divided by it; 0 takes the likeliest token.
        max_tokens: bound on one answer.
        seed: the same seed gives the same answer on one machine; None leaves it to chance.
        top_p: smallest set of likeliest tokens with at least this mass; 1 keeps all.
        top_k: that many likeliest tokens; 0 keeps all.
        stop: texts before which an answer ends, beside the base's own end.
        n: answers to one prompt, drawn apart from each other.

    Raises:
        ValueError: a number out of its range, or an empty stop text.
    """

    __pydantic_config__: ClassVar[ConfigDict] = FORBID

    temperature: float = 0.0
    max_tokens: int = 128
    seed: int | None = None
    top_p: float = 1.0
    top_k: int = 0
    stop: tuple[str, ...] = ()
    n: int = 1

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise ValueError(f"temperature is {self.temperature}: expected a number from 0")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p is {self.top_p}: expected a share in (0, 1]")
        for name, value, least in (
            ("max_tokens", self.max_tokens, 1),
            ("top_k", self.top_k, 0),
            ("n", self.n, 1),
        ):
            if value < least:
                raise ValueError(f"{name} is {value}: expected at least {least}")
        if "" in self.stop:
            raise ValueError("a stop text is empty: expected at least one character")

    @property
    def greedy(self) -> bool:
        """Whether nothing is left to chance."""
        return self.temperature == 0

    @property
    def unmodified(self) -> bool:
        """Whether tokens are drawn from the policy's own distribution.

        Only then is the log-probability that an engine tells (the raw one) that of the
        distribution which the token was drawn from, and an importance ratio means something.
        """
        return self.temperature == 1 and self.top_p == 1 and self.top_k == 0


def before_stop(text: str, sampling: Sampling) -> str:
    """The text before the first stop text in it."""
    places = [text.find(stop) for stop in sampling.stop]
    return text[: min((place for place in places if place >= 0), default=len(text))]
