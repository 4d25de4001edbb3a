"""The loop of supervised training: steps, early stopping, and going on where a run was stopped.

Owns the order of rows, the optimiser and the best weights so far. Refuses to own how the adapter is
made and saved (`sft.py`). Losses in nats per learned token.
"""

import hashlib
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...adapters.errors import TrainingDiverged, UsageError
from ..rendering import TokenRow
from .checkpoint import load_checkpoint, save_checkpoint
from .packing import pack, token_loss
from .schedule import rate_factor
from .settings import USUAL_RATE, SftSettings


@dataclass(frozen=True)
class Execution:
    """How a run is carried out; what it learns does not depend on it, but for rounding.

    `micro_rows` of a step pass at a time, their gradients added up; `packed_length` puts several
    rows into one line of so many tokens; with `checkpoint`, a folder, the run is saved there every
    `checkpoint_every` steps, and goes on from what it finds there.
    """

    micro_rows: int | None = None
    packed_length: int | None = None
    checkpoint: Path | None = None
    checkpoint_every: int = 50


@dataclass(frozen=True)
class Fitted:
    """What a loop reached."""

    num_steps: int
    train_loss: float
    dev_loss: float | None
    best_epoch: int


class Fit:
    """One run over rows that are already split; call `run` once.

    Args:
        rng: shuffles the rows, epoch by epoch.
        pad: the id that fills short rows.

    Raises:
        UsageError: a row that teaches nothing, as one cut off before its answer.
    """

    def __init__(
        self,
        model: nn.Module,
        train: Sequence[TokenRow],
        dev: Sequence[TokenRow],
        *,
        settings: SftSettings,
        execution: Execution,
        rng: random.Random,
        pad: int,
    ) -> None:
        _require_learned([*train, *dev])
        self._model, self._train, self._dev = model, train, dev
        self._settings, self._how, self._rng, self._pad = settings, execution, rng, pad
        self._rate = settings.rate or USUAL_RATE
        self._params = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self._optimiser = torch.optim.AdamW(self._params.values(), lr=self._rate, weight_decay=0.0)
        self._total = settings.epochs * math.ceil(len(train) / settings.batch_rows)
        self._step, self._epoch, self._last, self._stale = 0, 0, 0.0, False
        self._left: list[int] = []
        self._best: tuple[float, int, dict[str, Tensor]] | None = None
        said = (settings.model_dump_json(), train, dev, pad, rng.getstate())
        self._fingerprint = _fingerprint(model, repr(said)) if execution.checkpoint else ""

    def run(self, on_step: Callable[[int, int, float], None] | None = None) -> Fitted:
        """Train to the end, and put the best weights in place.

        Raises:
            TrainingDiverged: a loss is no finite number; nothing was put in place.
            UsageError: the checkpoint is of another run, or of another base.
        """
        self._resume()
        self._model.train()
        while not self._done():
            if not self._left:
                self._begin_epoch()
            self._take_step(self._next_rows())
            if not self._left:
                self._end_epoch()
            if self._step % self._how.checkpoint_every == 0:
                self._save()
            if on_step:
                on_step(self._step, self._total, self._last)
        if self._best is not None:
            with torch.no_grad():
                for name, p in self._params.items():
                    p.copy_(self._best[2][name])
        return Fitted(
            self._step,
            self._last,
            self._best[0] if self._best else None,
            self._best[1] if self._best else self._settings.epochs,
        )

    def _done(self) -> bool:
        return not self._left and (self._stale or self._epoch == self._settings.epochs)

    def _begin_epoch(self) -> None:
        self._epoch += 1
        self._left = list(range(len(self._train)))
        self._rng.shuffle(self._left)

    def _next_rows(self) -> list[TokenRow]:
        size = self._settings.batch_rows
        chosen, self._left = self._left[:size], self._left[size:]
        return [self._train[i] for i in chosen]

    def _take_step(self, rows: Sequence[TokenRow]) -> None:
        for group in self._optimiser.param_groups:
            group["lr"] = self._rate * rate_factor(self._step, self._total)
        size = self._how.micro_rows or len(rows)
        count = sum(sum(row.learn[1:]) for row in rows)
        total = 0.0
        for start in range(0, len(rows), size):
            loss, _ = self._loss(rows[start : start + size])
            (loss / count).backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        _require_finite(total / count, f"step {self._step + 1}", self._rate)
        nn.utils.clip_grad_norm_(self._params.values(), self._settings.clip)
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        self._step, self._last = self._step + 1, total / count

    def _loss(self, rows: Sequence[TokenRow]) -> tuple[Tensor, int]:
        length = self._how.packed_length
        packed = None if length is None else pack(rows, length=length, pad=self._pad)
        return token_loss(self._model, rows if packed is None else packed, pad=self._pad)

    def _end_epoch(self) -> None:
        if not self._dev:
            return
        seen = self._mean_loss()
        _require_finite(seen, f"the held-out rows after epoch {self._epoch}", self._rate)
        if self._best is None or seen < self._best[0]:
            weights = {name: p.detach().clone() for name, p in self._params.items()}
            self._best = (seen, self._epoch, weights)
        else:
            self._stale = True

    @torch.no_grad()
    def _mean_loss(self) -> float:
        self._model.eval()
        size = self._settings.batch_rows
        pairs = [self._loss(self._dev[at : at + size]) for at in range(0, len(self._dev), size)]
        self._model.train()
        return float(sum(loss for loss, _ in pairs)) / sum(count for _, count in pairs)

    def _save(self) -> None:
        if self._how.checkpoint is None:
            return
        version, internal, gauss = self._rng.getstate()
        state: dict[str, Any] = {
            "params": {name: p.detach() for name, p in self._params.items()},
            "optimiser": self._optimiser.state_dict(),
            "rng": [version, list(internal), gauss],
            "torch_rng": torch.get_rng_state(),
            "left": self._left,
            "counters": [self._step, self._epoch, self._last, self._stale],
            "best": None if self._best is None else list(self._best),
        }
        save_checkpoint(self._how.checkpoint, state, fingerprint=self._fingerprint)

    def _resume(self) -> None:
        folder = self._how.checkpoint
        state = load_checkpoint(folder, fingerprint=self._fingerprint) if folder else None
        if state is None:
            return
        with torch.no_grad():
            for name, p in self._params.items():
                p.copy_(state["params"][name])
        self._optimiser.load_state_dict(state["optimiser"])
        version, internal, gauss = state["rng"]
        self._rng.setstate((version, tuple(internal), gauss))
        torch.set_rng_state(state["torch_rng"])
        self._left = state["left"]
        self._step, self._epoch, self._last, self._stale = state["counters"]
        self._best = None if state["best"] is None else tuple(state["best"])


def _fingerprint(model: nn.Module, said: str) -> str:
    """Of what was said and of the frozen weights, by their shapes and sums."""
    total = hashlib.sha256(said.encode())
    for name, p in model.named_parameters():
        if not p.requires_grad:
            wide = p.detach().double()
            sums = (float(wide.sum()), float(wide.abs().sum()))
            total.update(f"{name} {tuple(p.shape)} {sums}".encode())
    return total.hexdigest()


def _require_learned(rows: Sequence[TokenRow]) -> None:
    for number, row in enumerate(rows):
        if not any(row.learn[1:]):
            raise UsageError(
                f"row {number} of {len(rows)} has {len(row.ids)} tokens and learns none behind the "
                "first: expected an answer; leave the row out, or render it with its answer"
            )


def _require_finite(loss: float, where: str, rate: float) -> None:
    if not math.isfinite(loss):
        raise TrainingDiverged(
            f"the loss of {where} is {loss}, expected a finite number; lower the rate of {rate:g}, "
            "or look at the rows and the base in its dtype"
        )
