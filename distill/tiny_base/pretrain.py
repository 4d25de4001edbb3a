"""Pretrains the tiny base on one CPU core in one or two hours, resumable after a kill.

Owns the optimiser and the loop. Arithmetic runs in bfloat16 on float32 master weights: Muon for
the matrices inside the blocks, AdamW for embeddings and norms, a warm-up, a plateau and a linear
decay. Knows nothing of the worlds: rows come from `corpus`, shares from the configuration, gates
from `gates`; the architecture is `shape`.
"""

import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import nn
from transformers import Qwen3ForCausalLM

from .corpus import Corpus
from .embeddings import spread_collapsed
from .shape import Shape

EMBEDDING = "model.embed_tokens.weight"
REPORT_EVERY = 50
"""Steps between points of the curve."""


@dataclass(frozen=True)
class PretrainConfig:
    """Schedule and mixture; rates are per optimiser step, lengths in tokens.

    Args:
        mixture: share of each part of the corpus.
        warm_mixture: the same for the first `warm_mixture_steps` steps.
    """

    shape: Shape = field(default_factory=Shape)
    num_steps: int = 3000
    rows: int = 16
    length: int = 384
    warmup_steps: int = 100
    warm_mixture_steps: int = 600
    decay_share: float = 0.35
    matrix_rate: float = 3e-3
    other_rate: float = 2e-3
    weight_decay: float = 0.01
    clip: float = 1.0
    seed: int = 0
    mixture: Mapping[str, float] = field(default_factory=dict)
    warm_mixture: Mapping[str, float] = field(default_factory=dict)


MAY_CHANGE = ("num_steps", "mixture", "warm_mixture", "decay_share")
"""What may differ from the checkpoint that a run goes on from; every change is recorded."""


def rate_factor(step: int, config: PretrainConfig) -> float:
    """The schedule's factor in [0, 1]: linear warm-up, plateau, linear decay to 0."""
    warm = min(1.0, (step + 1) / config.warmup_steps)
    decay_steps = config.decay_share * config.num_steps
    return min(warm, max(0.0, (config.num_steps - step) / decay_steps))


class Pretrainer:
    """Model, float32 master weights, optimisers and the step counter; saves and restores itself.

    Args:
        model: with the weights to begin from.
        origin: what these weights are, where they are not fresh.
    """

    def __init__(
        self,
        config: PretrainConfig,
        model: Qwen3ForCausalLM,
        corpus: Corpus,
        *,
        origin: Mapping[str, str | int] | None = None,
    ) -> None:
        self.config = config
        self.step = 0
        self.curve: list[dict[str, float]] = []
        self.origin = None if origin is None else dict(origin)
        self.history = [self._plan()]
        self._corpus = corpus
        self.masters = {
            name: nn.Parameter(p.detach().float().clone()) for name, p in model.named_parameters()
        }
        nn.Module.to(model, torch.bfloat16)
        self.model = model
        matrices = [p for n, p in self.masters.items() if p.ndim == 2 and "embed" not in n]
        others = [p for n, p in self.masters.items() if p.ndim != 2 or "embed" in n]
        self._optimisers: list[tuple[torch.optim.Optimizer, float]] = [
            (
                torch.optim.Muon(
                    matrices,
                    lr=config.matrix_rate,
                    weight_decay=config.weight_decay,
                    adjust_lr_fn="match_rms_adamw",
                ),
                config.matrix_rate,
            ),
            (
                torch.optim.AdamW(
                    others, lr=config.other_rate, betas=(0.9, 0.95), weight_decay=0.0
                ),
                config.other_rate,
            ),
        ]

    def train_step(self) -> float:
        """One optimiser step; returns the mean loss per answer token in nats."""
        warm = self.step < self.config.warm_mixture_steps and self.config.warm_mixture
        shares = self.config.warm_mixture if warm else self.config.mixture
        rows = self._corpus.batch(self.step, self.config.rows, shares)
        hidden = self.model.model(
            input_ids=rows.ids_BT,
            attention_mask=rows.mask_B1TT,
            position_ids=rows.positions_BT,
            use_cache=False,
        ).last_hidden_state
        learned = rows.targets_BT != -100
        logits = self.model.lm_head(hidden[learned]).float()
        loss = nn.functional.cross_entropy(logits, rows.targets_BT[learned])
        loss.backward()  # type: ignore[no-untyped-call]
        self._update()
        self.step += 1
        return float(loss.detach())

    @torch.no_grad()
    def _update(self) -> None:
        params = dict(self.model.named_parameters())
        for name, master in self.masters.items():
            grad = params[name].grad
            master.grad = None if grad is None else grad.float()
            params[name].grad = None
        nn.utils.clip_grad_norm_(list(self.masters.values()), self.config.clip)
        factor = rate_factor(self.step, self.config)
        for optimiser, rate in self._optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate * factor
            optimiser.step()
        for name, master in self.masters.items():
            params[name].copy_(master)

    @torch.no_grad()
    def spread_embeddings(self) -> int:
        """Draw apart the tokens that training has not shown so far; see `embeddings`.

        Returns:
            How many; they stand in the history.
        """
        generator = torch.Generator().manual_seed(self.config.seed)
        master = self.masters[EMBEDDING]
        spread, changed = spread_collapsed(master, generator)
        master.copy_(spread)
        dict(self.model.named_parameters())[EMBEDDING].copy_(master)
        self.history.append({**self._plan(), "embeddings_spread": int(changed.sum())})
        return int(changed.sum())

    def _plan(self) -> dict[str, object]:
        """What holds from this step on, for the record."""
        chosen = asdict(self.config)
        return {"step": self.step, **{name: chosen[name] for name in MAY_CHANGE}}

    def save(self, path: Path) -> None:
        """Write a checkpoint; a kill in the middle leaves the previous one."""
        temporary = path.with_suffix(".tmp")
        state = {
            "step": self.step,
            "curve": self.curve,
            "origin": self.origin,
            "history": self.history,
            "config": asdict(self.config),
            "masters": {name: p.detach() for name, p in self.masters.items()},
            "optimisers": [optimiser.state_dict() for optimiser, _ in self._optimisers],
        }
        torch.save(state, temporary)
        temporary.replace(path)

    def restore(self, path: Path, *, allow: Collection[str] = ()) -> None:
        """Continue from a checkpoint of `save`.

        Args:
            allow: fields of the configuration that may differ, among `MAY_CHANGE`.

        Raises:
            ValueError: it was made with another configuration or from other weights.
        """
        state = torch.load(path, weights_only=True)
        here = {**asdict(self.config), "origin": self.origin}
        there = {**state["config"], "origin": state["origin"]}
        differing = sorted(
            f"{key} {there.get(key)!r} -> {here.get(key)!r}"
            for key in {*here, *there} - set(allow)
            if here.get(key) != there.get(key)
        )
        if differing:
            raise ValueError(
                f"{path} was made with another configuration: {', '.join(differing)}; continue "
                "with the old one, or start in another folder"
            )
        self.step, self.curve, self.history = state["step"], state["curve"], state["history"]
        plan = self._plan()
        if any(self.history[-1][name] != plan[name] for name in MAY_CHANGE):
            self.history.append(plan)
        params = dict(self.model.named_parameters())
        with torch.no_grad():
            for name, master in self.masters.items():
                master.copy_(state["masters"][name])
                params[name].copy_(master)
        for (optimiser, _), saved in zip(self._optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)

    def run(
        self,
        checkpoint: Path,
        *,
        save_every: int,
        gate_every: int,
        gates: Callable[[Qwen3ForCausalLM], dict[str, float]],
        report: Callable[[str], None],
        stop: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Train to the end of the schedule, with checkpoints and gates on the way.

        Args:
            stop: asked after every step; where it says yes, the run is saved and left.

        Returns:
            Whether the schedule has come to its end.
        """
        started, first = time.monotonic(), self.step
        window: list[float] = []
        while self.step < self.config.num_steps:
            window.append(self.train_step())
            if self.step % REPORT_EVERY == 0:
                pace = (time.monotonic() - started) / (self.step - first)
                left = (self.config.num_steps - self.step) * pace / 60
                loss = sum(window) / len(window)
                window = []
                self.curve.append({"step": self.step, "loss": loss})
                report(
                    f"step {self.step}/{self.config.num_steps} loss {loss:.4f} "
                    f"{pace:.2f} s/step {left:.0f} min left"
                )
            if self.step % gate_every == 0:
                seen = gates(self.model)
                self.curve.append({"step": self.step, **seen})
                report(f"step {self.step} " + json.dumps(seen))
            stopped = stop()
            if self.step % save_every == 0 or self.step == self.config.num_steps or stopped:
                self.save(checkpoint)
            if stopped:
                break
        return self.step >= self.config.num_steps
