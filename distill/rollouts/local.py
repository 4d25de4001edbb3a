"""The local policy: torch in this process, a frozen base, adapters by name.

The base is never changed; adapters are added to rows as they pass (`row_adapters.py`), so rows of
many adapters share one pass, weighted sums act without being composed, and factors that are being
trained are used where they lie. Owns the borders: lengths, seeds, texts. Refuses to own batches
(`local_batches.py`, `batching.py`) and names (`named_adapters.py`).
"""

import asyncio
import random
import threading
from collections.abc import Sequence
from dataclasses import replace

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ...adapters.card import Frame
from ...adapters.errors import UsageError
from .batching import Batcher
from .chat import ChatRenderer
from .local_batches import DrawJob, Drawn, Machine, ScoreJob, draw_batch, score_batch
from .named_adapters import NamedAdapters
from .policy import (
    UNFRAMED,
    Capabilities,
    Generation,
    Prompt,
    Score,
    as_ids,
    as_messages,
    check_scored,
    the_one,
)
from .sampling import Sampling, before_stop


class LocalPolicy:
    """Satisfies `policy.TokenPolicy`; `adapters` is where adapters are put and dropped.

    Args:
        model: the base, on its device and in its dtype; not to be changed while it is used here.
        base_digest: its family digest, for fingerprints.
        batch_rows: most rows of one forward pass. With 1 an answer does not depend, to the last
            bit, on what else is asked, and the policy calls itself deterministic.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        base_digest: str = "",
        batch_rows: int = 64,
    ) -> None:
        model.train(False)
        self.adapters = NamedAdapters(model)
        self._chat = ChatRenderer(tokenizer)
        self._digest = base_digest
        self._machine = Machine(model, _pad(tokenizer), _ends(model, tokenizer), self._ended)
        self._positions = int(getattr(model.config, "max_position_embeddings", 0)) or None
        self._one_at_a_time = threading.Lock()
        self._draws = Batcher[DrawJob, Drawn](self._draw, most=batch_rows)
        self._scores = Batcher[ScoreJob, Score](self._score, most=batch_rows)
        self._capabilities = Capabilities(
            token_ids=True,
            token_logprobs=True,
            scoring=True,
            entropy=True,
            several_models=True,
            deterministic=batch_rows == 1,
        )

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def renderer(self) -> ChatRenderer:
        return self._chat

    @property
    def base_digest(self) -> str:
        return self._digest

    async def generate(
        self, prompt: Prompt, *, model: str, sampling: Sampling, frame: Frame = UNFRAMED
    ) -> Generation:
        """One answer; see `sample`."""
        return the_one(await self.sample(prompt, model=model, sampling=sampling, frame=frame))

    async def sample(
        self, prompt: Prompt, *, model: str, sampling: Sampling, frame: Frame = UNFRAMED
    ) -> tuple[Generation, ...]:
        """`sampling.n` answers; the seed of the i-th is `sampling.seed` + i.

        Raises:
            NotFound: no adapter has that name.
            UsageError: prompt and answer are longer than the base's positions.
            EngineError: the weights have diverged.
        """
        ids = as_ids(prompt) or self._chat.opening(as_messages(prompt), frame)
        self._check_length(len(ids), sampling.max_tokens)
        mix, version = self.adapters.resolve(model)
        first = random.getrandbits(31) if sampling.seed is None else sampling.seed
        how = replace(sampling, n=1)
        jobs = [DrawJob(ids, mix, how, first + number) for number in range(sampling.n)]
        drawn = await asyncio.gather(*(self._draws.ask(job) for job in jobs))
        return tuple(self._generation(ids, one.check(), sampling, version) for one in drawn)

    async def score(
        self, prompt: Sequence[int], tokens: Sequence[int], *, model: str, entropy: bool = False
    ) -> Score:
        """See `policy.TokenPolicy`; what is asked at once is scored in one pass."""
        check_scored(prompt, tokens)
        self._check_length(len(prompt), len(tokens))
        mix, _ = self.adapters.resolve(model)
        return await self._scores.ask(ScoreJob(tuple(prompt), tuple(tokens), mix, entropy))

    def _draw(self, jobs: Sequence[DrawJob]) -> Sequence[Drawn]:
        with self._one_at_a_time:
            return draw_batch(self._machine, jobs)

    def _score(self, jobs: Sequence[ScoreJob]) -> Sequence[Score]:
        with self._one_at_a_time:
            return score_batch(self._machine, jobs)

    def _check_length(self, prompt: int, more: int) -> None:
        if self._positions is not None and prompt + more > self._positions:
            raise UsageError(
                f"{prompt} tokens and {more} more: expected at most {self._positions} together, "
                "the base's positions; ask for fewer"
            )

    def _generation(
        self, prompt: tuple[int, ...], drawn: Drawn, sampling: Sampling, version: str
    ) -> Generation:
        return Generation(
            ids=tuple(drawn.ids),
            logprobs=tuple(drawn.logprobs),
            text=before_stop(self._chat.decode(drawn.ids), sampling),
            prompt_ids=prompt,
            finish_reason=drawn.reason,
            policy_version=version,
            tokens_in=len(prompt),
            tokens_out=len(drawn.ids),
        )

    def _ended(self, ids: Sequence[int], sampling: Sampling) -> bool:
        text = self._chat.decode(ids)
        return any(stop in text for stop in sampling.stop)


def _pad(tokenizer: PreTrainedTokenizerBase) -> int:
    pad = tokenizer.pad_token_id
    return pad if isinstance(pad, int) else 0


def _ends(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """The tokens that end an answer: the generation config's, as engines take them."""
    told = getattr(model.generation_config, "eos_token_id", None)
    found = [told] if isinstance(told, int) else list(told or [])
    own = tokenizer.eos_token_id
    return frozenset([*found, *([own] if isinstance(own, int) else [])])
