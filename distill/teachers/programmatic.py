"""A teacher made of rules, with set rates of errors and junk: gates have something to catch.

Owns when an answer is honest, wrong, junk or malformed: a function of question and attempt alone.
Refuses to own what the answers say (`string_world.py`). A world joins by a table from role to
`Craft`. Results with such a teacher show machinery, never the skill of a model.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from pydantic import BaseModel

from ...adapters.errors import UsageError
from .roles import Payload, Question, RoleName
from .types import Said

Answer = Callable[[Payload, random.Random], BaseModel]


@dataclass(frozen=True)
class Rates:
    """Shares of answers, each in [0, 1]. Errors and junk are well formed; malformed is no JSON."""

    error: float = 0.0
    """Wrong in a way that only a check can see."""
    junk: float = 0.0
    """Says nothing of use."""
    malformed: float = 0.0
    """Of attempts: retries draw again."""

    def __post_init__(self) -> None:
        shares = (self.error, self.junk, self.malformed)
        if not all(0.0 <= share <= 1.0 for share in shares) or self.error + self.junk > 1.0:
            raise UsageError(
                f"rates {shares}: expected shares in [0, 1], errors and junk together at most 1"
            )


HONEST = Rates()


@dataclass(frozen=True)
class Craft:
    """How one role is answered."""

    honest: Answer
    wrong: Answer
    junk: Answer


class ProgrammaticSource:
    """Meets `Source`; words count as tokens.

    Args:
        crafts: how each role is answered; a role that is missing is a UsageError when asked.
        rates: by role; a role that is missing is honest.
        label: of the world.

    Raises:
        UsageError: rates of a role without craft.
    """

    def __init__(
        self,
        crafts: Mapping[RoleName, Craft],
        *,
        label: str,
        rates: Mapping[RoleName, Rates] | None = None,
    ) -> None:
        self._crafts, self._rates = dict(crafts), dict(rates or {})
        self._name = label
        if unknown := sorted(self._rates.keys() - self._crafts.keys()):
            raise UsageError(f"rates of {unknown}: expected roles of {sorted(self._crafts)}")

    @property
    def label(self) -> str:
        """The world and the rates: all that its answers depend on."""
        rates = {role: asdict(self._rates[role]) for role in sorted(self._rates)}
        return f"programmatic:{self._name}?{json.dumps(rates, sort_keys=True)}"

    async def say(self, asked: Question, *, attempt: int, complaint: str) -> Said:
        """See `Source`."""
        del complaint
        craft = self._crafts.get(asked.role.name)
        if craft is None:
            raise UsageError(
                f"the teacher of {self._name} has no craft of role {asked.role.name!r}; expected "
                f"one of {sorted(self._crafts)}"
            )
        text = self._text(craft, asked, attempt)
        asked_words = sum(len(turn["content"].split()) for turn in asked.messages)
        return Said(text, asked_words, len(text.split()))

    def _text(self, craft: Craft, asked: Question, attempt: int) -> str:
        rates = self._rates.get(asked.role.name, HONEST)
        key = asked.key(self._name)
        luck = random.Random(f"luck:{key}")
        first, rng = luck.random(), random.Random(f"answer:{key}")
        if first < rates.junk:
            value = craft.junk(asked.payload, rng)
        elif first < rates.junk + rates.error:
            value = craft.wrong(asked.payload, rng)
        else:
            value = craft.honest(asked.payload, rng)
        text = value.model_dump_json()
        if random.Random(f"form:{key}:{attempt}").random() < rates.malformed:
            return f"Sure, here it is: {text[: len(text) // 2]}"
        return text
