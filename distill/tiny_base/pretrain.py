"""Pretrains the tiny base on one CPU core in one or two hours, resumable after a kill.

Owns the model's shape, the optimiser and the loop. Arithmetic runs in bfloat16 on float32 master
weights: Muon for the matrices inside the blocks, AdamW for embeddings and norms, a warm-up, a
plateau and a linear decay. Knows nothing of the worlds: rows come from `corpus`, gates from
`gates`.
"""

import json
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, Qwen3Config, Qwen3ForCausalLM

from .corpus import WARM_MIXTURE, Corpus, Mixture


@dataclass(frozen=True)
class PretrainConfig:
    """Sizes and schedule; rates are per optimiser step, lengths in tokens."""

    hidden: int = 256
    layers: int = 5
    heads: int = 8
    kv_heads: int = 4
    head_dim: int = 32
    intermediate: int = 768
    max_positions: int = 2048
    rope_theta: float = 10000.0
    num_steps: int = 3000
    rows: int = 24
    length: int = 256
    warmup_steps: int = 100
    warm_mixture_steps: int = 600
    decay_share: float = 0.35
    matrix_rate: float = 3e-3
    other_rate: float = 2e-3
    weight_decay: float = 0.01
    clip: float = 1.0
    seed: int = 0
    mixture: Mixture = field(default_factory=Mixture)


def rate_factor(step: int, config: PretrainConfig) -> float:
    """The schedule's factor in [0, 1]: linear warm-up, plateau, linear decay to 0."""
    warm = min(1.0, (step + 1) / config.warmup_steps)
    decay_steps = config.decay_share * config.num_steps
    return min(warm, max(0.0, (config.num_steps - step) / decay_steps))


def model_config(config: PretrainConfig, vocab_size: int, *, end: int, pad: int) -> Qwen3Config:
    """The base's architecture: Qwen3 with tied embeddings."""
    return Qwen3Config(
        vocab_size=vocab_size,
        hidden_size=config.hidden,
        intermediate_size=config.intermediate,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.kv_heads,
        head_dim=config.head_dim,
        max_position_embeddings=config.max_positions,
        rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=pad,
    )


def new_model(shape: Qwen3Config) -> Qwen3ForCausalLM:
    """A model of that shape with fresh weights, from torch's seed."""
    make: Callable[[Qwen3Config], Qwen3ForCausalLM] = Qwen3ForCausalLM
    return make(shape)


def _plain_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor,
    scaling: float = 1.0,
    **_: object,
) -> tuple[Tensor, None]:
    """Attention by two batched products: in bfloat16 on a CPU faster than the fused kernel."""
    num_rows, num_heads, length, width = query.shape
    groups = num_heads // key.shape[1]
    key = key.repeat_interleave(groups, 1).reshape(-1, length, width)
    value = value.repeat_interleave(groups, 1).reshape(-1, length, width)
    mask = attention_mask.expand(-1, num_heads, -1, -1).reshape(-1, length, length)
    scores = torch.baddbmm(
        mask, query.reshape(-1, length, width), key.transpose(1, 2), alpha=scaling
    )
    out = torch.bmm(scores.softmax(-1), value).reshape(num_rows, num_heads, length, width)
    return out.transpose(1, 2).contiguous(), None


AttentionInterface.register("plain", _plain_attention)


class Pretrainer:
    """Model, float32 master weights, optimisers and the step counter; saves and restores itself."""

    def __init__(self, config: PretrainConfig, model: Qwen3ForCausalLM, corpus: Corpus) -> None:
        self.config = config
        self.step = 0
        self.curve: list[dict[str, float]] = []
        self._corpus = corpus
        nn.Module.to(model, torch.bfloat16)
        self.model = model
        self.masters = {
            name: nn.Parameter(p.detach().float().clone()) for name, p in model.named_parameters()
        }
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
        warm = self.step < self.config.warm_mixture_steps
        mixture = WARM_MIXTURE if warm else self.config.mixture
        rows = self._corpus.batch(self.step, self.config.rows, mixture)
        hidden = self.model.model(
            input_ids=rows.ids_BT,
            attention_mask=rows.mask_B1TT.to(torch.bfloat16),
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

    def save(self, path: Path) -> None:
        """Write a checkpoint; a kill in the middle leaves the previous one."""
        temporary = path.with_suffix(".tmp")
        state = {
            "step": self.step,
            "curve": self.curve,
            "config": asdict(self.config),
            "masters": {name: p.detach() for name, p in self.masters.items()},
            "optimisers": [optimiser.state_dict() for optimiser, _ in self._optimisers],
        }
        torch.save(state, temporary)
        temporary.replace(path)

    def restore(self, path: Path, *, allow: Collection[str] = ()) -> None:
        """Continue from a checkpoint of `save`.

        Raises:
            ValueError: it was made with another configuration; fields in `allow` may differ.
        """
        state = torch.load(path, weights_only=True)
        here, there = asdict(self.config), state["config"]
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
        self.step, self.curve = state["step"], state["curve"]
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
    ) -> None:
        """Train to the end of the schedule, with checkpoints and gates on the way."""
        started, first = time.monotonic(), self.step
        window: list[float] = []
        while self.step < self.config.num_steps:
            window.append(self.train_step())
            if self.step % 50 == 0:
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
            if self.step % save_every == 0 or self.step == self.config.num_steps:
                self.save(checkpoint)
