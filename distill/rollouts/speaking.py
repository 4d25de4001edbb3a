"""One episode's conversation, from the policy's side: a turn for every observation.

Owns how the conversation grows: token by token where the policy takes ids (earlier answers stay as
they were drawn), message by message where it takes only messages. Refuses to own the environment
and what becomes of failures (`play.py`).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ...adapters.card import Frame
from ..worlds.types import Message, Observation
from .policy import Generation, Renderer, TokenPolicy
from .prefixes import Decision, Forced, Prefix
from .sampling import Sampling
from .seeds import derived_seed
from .trajectory import TokenSpan, Turn


@dataclass
class Speaker:
    """Speaks for a policy in one conversation.

    Args:
        frame: the system text, tools and template arguments of all turns.
        seed: each turn draws with a seed of its own, derived from it and the turn's number.
        renderer: how ids are made; None where only messages go to the policy.
    """

    policy: TokenPolicy
    model: str
    sampling: Sampling
    frame: Frame
    seed: int
    renderer: Renderer | None
    prefix: Prefix | None = None
    _told: list[Message] = field(default_factory=list)
    _before: list[Message] = field(default_factory=list)
    _ids: tuple[int, ...] = ()
    _number: int = 0

    async def turn(self, observation: Observation, *, expert: str | None) -> Turn:
        """One decision; the reward of the turn is the caller's to fill in.

        Raises:
            SkillweaveError: the policy did not answer.
        """
        started = time.perf_counter()
        how = replace(self.sampling, seed=derived_seed(self.seed, self._number))
        if self.renderer is None:
            turn = await self._by_messages(observation, how)
        else:
            turn = await self._by_ids(self.renderer, observation, expert, how)
        self._number += 1
        self._before = [*self._told]
        self._told.append({"role": "assistant", "content": turn.text})
        return replace(
            turn,
            messages=observation.messages,
            legal_actions=observation.legal_actions,
            wall_s=time.perf_counter() - started,
        )

    async def _by_ids(
        self, renderer: Renderer, observation: Observation, expert: str | None, how: Sampling
    ) -> Turn:
        new = self._piece(renderer, observation.messages)
        self._told += observation.messages
        decision = Decision(self._number, observation, expert, renderer.encode)
        forced = self.prefix(decision) if self.prefix else None
        spans = [TokenSpan("prompt", new)]
        if forced is not None and forced.whole:
            end = renderer.closing(self._told, self.frame)
            spans.append(TokenSpan(forced.provenance, forced.ids + end))
            self._ids += new + forced.ids + end
            text = renderer.decode(forced.ids)
            return Turn(text, spans=tuple(spans), finish_reason="forced")
        put = forced.ids if forced is not None else ()
        if forced is not None:
            spans.append(TokenSpan(forced.provenance, put))
        prompt = self._ids + new + put
        said = await self.policy.generate(prompt, model=self.model, sampling=how, frame=self.frame)
        spans.append(TokenSpan("policy", said.ids, said.logprobs))
        self._ids = prompt + said.ids
        return _turn(_text(renderer, forced, said, how), said, spans)

    def _piece(self, renderer: Renderer, news: Sequence[Message]) -> tuple[int, ...]:
        if not self._number:
            return renderer.opening(news, self.frame)
        return renderer.following(self._before, news, self.frame, after=self._ids)

    async def _by_messages(self, observation: Observation, how: Sampling) -> Turn:
        """The policy renders the whole conversation; where it tells ids, they are compared."""
        self._told += observation.messages
        said = await self.policy.generate(
            self._told, model=self.model, sampling=how, frame=self.frame
        )
        known = self._ids == said.prompt_ids[: len(self._ids)]
        new = said.prompt_ids[len(self._ids) :] if known else said.prompt_ids
        spans = [TokenSpan("prompt", new), TokenSpan("policy", said.ids, said.logprobs)]
        self._ids = said.prompt_ids + said.ids
        turn = _turn(said.text, said, spans if said.ids else [])
        return replace(turn, continues=known)


def _turn(text: str, said: Generation, spans: Sequence[TokenSpan]) -> Turn:
    return Turn(
        text,
        spans=tuple(spans),
        finish_reason=said.finish_reason,
        policy_version=said.policy_version,
        tokens_in=said.tokens_in,
        tokens_out=said.tokens_out,
    )


def _text(renderer: Renderer, forced: Forced | None, said: Generation, how: Sampling) -> str:
    """What the world reads: the forced part and the drawn one, decoded together.

    A stop text, which the ids hold and the answer does not, leaves only the two texts to join.
    """
    if forced is None:
        return said.text
    if how.stop:
        return renderer.decode(forced.ids) + said.text
    return renderer.decode(forced.ids + said.ids)
