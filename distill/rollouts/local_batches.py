"""Batches on a model in this process: answers drawn with a cache, and tokens scored.

Owns padding, the cache and when a row ends. Rows are padded on the left, so that all of them end
at the same place. Refuses to own names of adapters and callers (`local.py`). Shape letters: `B`
rows, `T` tokens, `V` vocabulary.
"""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from ...adapters.errors import EngineError
from .drawing import draw_next
from .policy import Score
from .row_adapters import Mix, grouped, rows_adapted
from .sampling import Sampling


@dataclass(frozen=True, eq=False)
class DrawJob:
    """Draw one answer after `prompt`."""

    prompt: tuple[int, ...]
    mix: Mix
    sampling: Sampling
    seed: int


@dataclass(frozen=True, eq=False)
class ScoreJob:
    """Score `tokens` after `prompt`."""

    prompt: tuple[int, ...]
    tokens: tuple[int, ...]
    mix: Mix
    entropy: bool


@dataclass
class Drawn:
    """What one row has drawn so far; `reason` is empty while it goes on."""

    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    reason: str = ""

    def check(self) -> "Drawn":
        """Itself.

        Raises:
            EngineError: a log-probability is no finite number, so the model has diverged.
        """
        if not all(map(math.isfinite, self.logprobs)):
            odd = next(p for p in self.logprobs if not math.isfinite(p))
            raise EngineError(
                f"the model gave the log-probability {odd}, expected a finite number; its weights "
                "or the adapter's have diverged"
            )
        return self


Ended = Callable[[Sequence[int], Sampling], bool]
"""Whether what was drawn holds a stop text."""


@dataclass(frozen=True, eq=False)
class Machine:
    """The model with what it needs: `pad` fills short rows, `ends` are the end tokens."""

    model: PreTrainedModel
    pad: int
    ends: Collection[int]
    ended: Ended


@torch.no_grad()
def draw_batch(machine: Machine, jobs: Sequence[DrawJob]) -> list[Drawn]:
    """Draw all answers, rows of every adapter in one batch."""
    order, groups = grouped([job.mix for job in jobs])
    rows = [jobs[place] for place in order]
    drawn = [Drawn() for _ in rows]
    generators = [torch.Generator().manual_seed(job.seed) for job in rows]
    ids_BT, mask_BT = _padded(machine, [job.prompt for job in rows])
    places_BT = (mask_BT.cumsum(-1) - 1).clamp(min=0)
    cache = DynamicCache(config=machine.model.config)
    model: Any = machine.model
    alive = list(range(len(rows)))
    with rows_adapted(machine.model, groups):
        while True:
            logits_BV = model(
                input_ids=ids_BT,
                attention_mask=mask_BT,
                position_ids=places_BT,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            ).logits[:, -1].float()  # fmt: skip
            next_B = draw_next(
                logits_BV, [rows[r].sampling for r in alive], [generators[r] for r in alive]
            )
            told_B = logits_BV.log_softmax(-1).gather(-1, next_B[:, None])[:, 0]
            for row, one, logprob in zip(alive, next_B.tolist(), told_B.tolist(), strict=True):
                _take(machine, rows[row], drawn[row], one, logprob)
            on = [place for place, row in enumerate(alive) if not drawn[row].reason]
            if not on:
                break
            if len(on) < len(alive):
                keep = torch.tensor(on, device=next_B.device)
                cache.batch_select_indices(keep)
                groups.keep(on)
                next_B, mask_BT, places_BT = next_B[keep], mask_BT[keep], places_BT[keep]
                alive = [alive[place] for place in on]
            ids_BT, places_BT = next_B[:, None], places_BT[:, -1:] + 1
            mask_BT = torch.cat([mask_BT, torch.ones_like(next_B[:, None])], dim=-1)
    return _in_order(drawn, order)


@torch.no_grad()
def score_batch(machine: Machine, jobs: Sequence[ScoreJob]) -> list[Score]:
    """Score all rows in one forward pass."""
    order, groups = grouped([job.mix for job in jobs])
    rows = [jobs[place] for place in order]
    ids_BT, mask_BT = _padded(machine, [job.prompt + job.tokens for job in rows])
    model: Any = machine.model
    longest = max(len(job.tokens) for job in rows)
    with rows_adapted(machine.model, groups):
        logits_BTV = model(
            input_ids=ids_BT,
            attention_mask=mask_BT,
            position_ids=(mask_BT.cumsum(-1) - 1).clamp(min=0),
            use_cache=False,
            logits_to_keep=longest + 1,
        ).logits[:, :-1]
    scores = []
    for row, job in enumerate(rows):
        logp_TV = logits_BTV[row, longest - len(job.tokens) :].float().log_softmax(-1)
        tokens_T1 = torch.tensor(job.tokens, device=logp_TV.device)[:, None]
        told = tuple(logp_TV.gather(-1, tokens_T1)[:, 0].tolist())
        entropy_T = torch.special.entr(logp_TV.exp()).sum(-1)
        scores.append(Score(told, tuple(entropy_T.tolist()) if job.entropy else None))
    return _in_order(scores, order)


def _take(machine: Machine, job: DrawJob, drawn: Drawn, one: int, logprob: float) -> None:
    drawn.ids.append(one)
    drawn.logprobs.append(logprob)
    if one in machine.ends or (job.sampling.stop and machine.ended(drawn.ids, job.sampling)):
        drawn.reason = "stop"
    elif len(drawn.ids) == job.sampling.max_tokens:
        drawn.reason = "length"


def _padded(machine: Machine, rows: Sequence[tuple[int, ...]]) -> tuple[Tensor, Tensor]:
    """Ids and attention mask, (B, T), padded on the left."""
    length = max(map(len, rows))
    ids = [[machine.pad] * (length - len(row)) + list(row) for row in rows]
    mask = [[0] * (length - len(row)) + [1] * len(row) for row in rows]
    device = machine.model.device
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def _in_order(results: Sequence[Any], order: Sequence[int]) -> list[Any]:
    back: list[Any] = [None] * len(results)
    for place, result in zip(order, results, strict=True):
        back[place] = result
    return back
