"""Recorded trajectories: kept as JSON lines, and played again as a policy.

Owns the files and the policy that answers as it was recorded, exactly and offline. It answers only
what was asked then: the same model, the same conversation, sampling and seed. Refuses to guess.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ...adapters.card import Frame
from ...adapters.errors import EngineError, MissingAbility, NotFound, StoreError
from ..worlds.types import Message
from .policy import (
    UNFRAMED,
    Capabilities,
    Generation,
    Prompt,
    Renderer,
    Score,
    as_ids,
    as_messages,
    the_one,
)
from .sampling import Sampling
from .seeds import derived_seed
from .trajectory import Trajectory, Turn, context_digest_of
from .trajectory_json import from_json_line, to_json_line

_Key = tuple[str, object, Sampling]
"""Model string, what was asked, and how, with the seed of the turn."""


def append_trajectories(path: Path, trajectories: Iterable[Trajectory]) -> None:
    """Write them behind what the file holds; it is made where it is missing."""
    lines = "".join(f"{to_json_line(one)}\n" for one in trajectories)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="ascii") as file:
        file.write(lines)


def read_trajectories(path: Path) -> list[Trajectory]:
    """All of a file, in order.

    Raises:
        StoreError: it cannot be read, or a line is no trajectory; the message names the line.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise StoreError(f"{path} cannot be read: {err}") from err
    return [_read(line, f"{path}, line {number}") for number, line in enumerate(lines, 1)]


def _read(line: str, where: str) -> Trajectory:
    try:
        return from_json_line(line)
    except ValueError as err:
        raise StoreError(f"{where}: {err}") from err


class ReplayPolicy:
    """Satisfies `policy.TokenPolicy` with what was recorded.

    Args:
        trajectories: what was played; of equal requests the last one counts.
        renderer: the one that was played with; None where nothing is asked by ids.
    """

    def __init__(
        self, trajectories: Iterable[Trajectory], renderer: Renderer | None = None
    ) -> None:
        self._renderer = renderer
        self._by_ids: dict[_Key, Generation] = {}
        self._by_messages: dict[_Key, Generation] = {}
        self._failures: dict[tuple[str, Sampling], str] = {}
        digests: set[str] = set()
        all_ids = all_logprobs = True
        for one in trajectories:
            digests.add(one.policy.base_digest)
            self._learn(one)
            drawn = [s for turn in one.turns for s in turn.spans if s.provenance == "policy"]
            all_ids &= all(turn.ids for turn in one.turns)
            all_logprobs &= all_ids and all(span.logprobs is not None for span in drawn)
        self._digest = digests.pop() if len(digests) == 1 else ""
        self._capabilities = Capabilities(
            token_ids=all_ids and renderer is not None,
            token_logprobs=all_logprobs,
            several_models=True,
            deterministic=True,
        )

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def renderer(self) -> Renderer | None:
        return self._renderer

    @property
    def base_digest(self) -> str:
        return self._digest

    async def generate(
        self, prompt: Prompt, *, model: str, sampling: Sampling, frame: Frame = UNFRAMED
    ) -> Generation:
        """The recorded answer; see `sample`."""
        return the_one(await self.sample(prompt, model=model, sampling=sampling, frame=frame))

    async def sample(
        self, prompt: Prompt, *, model: str, sampling: Sampling, frame: Frame = UNFRAMED
    ) -> tuple[Generation, ...]:
        """What was answered to this then.

        Raises:
            NotFound: nobody asked this then.
            EngineError: the recorded episode failed here, with its error.
        """
        ids = as_ids(prompt)
        if ids is not None:
            found = self._by_ids.get((model, ids, sampling))
        else:
            asked = _conversation(_context(frame), as_messages(prompt))
            found = self._by_messages.get((model, asked, sampling))
        if found is not None:
            return (found,)
        if (model, sampling) in self._failures:
            raise EngineError(f"recorded failure: {self._failures[model, sampling]}")
        raise NotFound(
            f"nothing is recorded of {model!r} for this prompt of {len(prompt)} with {sampling}: "
            "expected a request of the recorded run, with its tasks, frame, sampling and seeds"
        )

    async def score(
        self, prompt: Sequence[int], tokens: Sequence[int], *, model: str, entropy: bool = False
    ) -> Score:
        """It cannot.

        Raises:
            MissingAbility: always.
        """
        raise MissingAbility("ReplayPolicy has no scoring: expected a policy with a model")

    def _learn(self, played: Trajectory) -> None:
        model, told, ids = played.policy.model, list[Message](), tuple[int, ...]()
        for number, turn in enumerate(played.turns):
            how = replace(played.policy.sampling, seed=derived_seed(played.seed, number))
            told += turn.messages
            before = (ids if turn.continues else ()) + _before_drawn(turn)
            answer = self._answer(turn, before)
            if not _forced(turn):  # else the conversation alone is not what was asked
                asked = _conversation(played.policy.context_digest, told)
                self._by_messages[model, asked, how] = answer
            if answer.ids:
                self._by_ids[model, before, how] = answer
            ids = (ids if turn.continues else ()) + turn.ids
            told.append({"role": "assistant", "content": turn.text})
        if played.error:
            seed = derived_seed(played.seed, len(played.turns))
            self._failures[model, replace(played.policy.sampling, seed=seed)] = played.error

    def _answer(self, turn: Turn, prompt: tuple[int, ...]) -> Generation:
        drawn = [span for span in turn.spans if span.provenance == "policy"]
        ids = drawn[0].ids if drawn else ()
        text = self._renderer.decode(ids) if _forced(turn) and self._renderer else turn.text
        return Generation(
            ids=ids,
            logprobs=drawn[0].logprobs if drawn else None,
            text=text,
            prompt_ids=prompt if ids else (),
            finish_reason=turn.finish_reason,
            policy_version=turn.policy_version,
            tokens_in=turn.tokens_in,
            tokens_out=turn.tokens_out,
        )


def _forced(turn: Turn) -> bool:
    """Whether somebody else wrote the answer, or its beginning."""
    return any(span.provenance not in ("prompt", "policy") for span in turn.spans)


def _before_drawn(turn: Turn) -> tuple[int, ...]:
    return tuple(one for span in turn.spans if span.provenance != "policy" for one in span.ids)


def _context(frame: Frame) -> str:
    return context_digest_of(frame.system, list(frame.tools), dict(frame.template_args))


def _conversation(context: str, messages: Sequence[Mapping[str, str]]) -> str:
    return json.dumps([context, [dict(message) for message in messages]], sort_keys=True)
