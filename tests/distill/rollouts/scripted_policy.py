"""A policy that follows a script, with ids of the real tokenizer: a fake with behaviour.

`script` maps what was said last to an answer. What it draws ends with the end token; the
log-probability of a token is minus its place, so that a mix-up shows.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from skillweave.adapters.card import Frame
from skillweave.adapters.errors import MissingAbility
from skillweave.distill.rollouts import Sampling
from skillweave.distill.rollouts.chat import ChatRenderer
from skillweave.distill.rollouts.policy import (
    UNFRAMED,
    Capabilities,
    Generation,
    Prompt,
    Score,
    as_ids,
    as_messages,
    the_one,
)

END = 2
TOKENS = Capabilities(token_ids=True, token_logprobs=True)


@dataclass
class ScriptedPolicy:
    """Satisfies `TokenPolicy`; `asked` records (model, prompt ids, seed)."""

    renderer: ChatRenderer
    script: Callable[[str], str]
    delay_s: float = 0.0
    hangs_at: str = ""
    """Never answers where the last message says this."""
    cut: bool = False
    """Answers are cut before their end token."""
    spelled: bool = False
    """Answers are drawn letter by letter, unlike the tokenizer would."""
    capabilities: Capabilities = TOKENS
    base_digest: str = "d" * 64
    version: str = "3"
    asked: list[tuple[str, tuple[int, ...], int | None]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def generate(
        self, prompt: Prompt, *, model: str, sampling: Sampling, frame: Frame = UNFRAMED
    ) -> Generation:
        return the_one(await self.sample(prompt, model=model, sampling=sampling, frame=frame))

    async def sample(
        self, prompt: Prompt, *, model: str, sampling: Sampling, frame: Frame = UNFRAMED
    ) -> tuple[Generation, ...]:
        ids = as_ids(prompt) or self.renderer.opening(as_messages(prompt), frame)
        self.asked.append((model, ids, sampling.seed))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        seen = self.renderer.decode(ids)
        hangs = bool(self.hangs_at) and seen.rfind(self.hangs_at) > seen.rfind("user\n")
        await asyncio.sleep(3600 if hangs else self.delay_s)
        self.at_once -= 1
        text = self.script(seen)
        pieces = text if self.spelled else [text]
        drawn = tuple(one for piece in pieces for one in self.renderer.encode(piece))
        drawn += () if self.cut else (END,)
        return (
            Generation(
                ids=drawn,
                logprobs=tuple(-float(place) for place in range(len(drawn))),
                text=text,
                prompt_ids=ids,
                finish_reason="length" if self.cut else "stop",
                policy_version=self.version,
                tokens_in=len(ids),
                tokens_out=len(drawn),
            ),
        )

    async def score(
        self, prompt: Sequence[int], tokens: Sequence[int], *, model: str, entropy: bool = False
    ) -> Score:
        raise MissingAbility("a script scores nothing")
