"""`JointLora`: several LoRA adapters learn in one step on one frozen base.

Owns the step: losses, gradients, norms, rates, optimiser, and the way out as PEFT folders. Each
adapter ends up where it would have ended alone. Refuses to own rows and epochs.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from ....adapters.delta import AdapterDelta
from ....adapters.errors import UsageError
from ....adapters.peft_folder.deltas import write_peft
from ...rendering import TokenRow
from ..checkpoint import load_checkpoint, save_checkpoint
from .decoder import Decoder
from .layout import arrange
from .resume import fingerprint
from .specs import AdapterSpec
from .weights import Weights

TokenLoss = Callable[[int, Tensor], Tensor]
"""(adapter, log-probabilities of its learned tokens in order of its rows) -> its loss."""


def mean_nll(adapter: int, logp_K: Tensor) -> Tensor:
    """The supervised loss: mean negative log-likelihood of the learned tokens."""
    return -logp_K.mean()


class JointLora:
    """Adapters of mixed ranks and targets, each with its own rate, schedule and rows.

    The base is neither copied nor changed.

    Args:
        base: of a family that `decoder.py` knows; its dtype and device are those of the step.
        specs: one an adapter, names distinct.

    Raises:
        UsageError: no adapter, a name twice, targets that the base lacks, or another family.
    """

    def __init__(self, base: PreTrainedModel, specs: Sequence[AdapterSpec]) -> None:
        names = [spec.name for spec in specs]
        if not specs or len(set(names)) < len(names):
            raise UsageError(f"adapters {names}: expected at least one, and distinct names")
        self.specs = tuple(specs)
        self._base = base
        self._decoder = Decoder(base)
        self._weights = [self._new(spec) for spec in specs]
        self._silent = Weights(specs[0], groups=(), shapes={}, like=self._decoder.weight.detach())
        self.optimiser = torch.optim.AdamW(
            [{"params": [own.param], "lr": own.spec.rate} for own in self._weights],
            weight_decay=0.0,
            fused=True,
        )
        self.num_steps = 0

    def step(
        self, batches: Sequence[Sequence[TokenRow]], *, loss: TokenLoss = mean_nll
    ) -> tuple[float | None, ...]:
        """One optimiser step for every adapter that got rows; the others stay as they are.

        Args:
            batches: rows of each adapter, in the order of the specs.
            loss: of one adapter; the default is supervised.
        Returns:
            Each adapter's loss before the step; None where it got no rows.
        """
        self.zero_grad()
        losses = self.backward(batches, loss=loss)
        self.apply([found is not None for found in losses])
        return losses

    def backward(
        self, batches: Sequence[Sequence[TokenRow]], *, loss: TokenLoss = mean_nll
    ) -> tuple[float | None, ...]:
        """Add the gradients of each adapter's loss to what is there; returns the losses."""
        parts = self.logps(batches)
        losses = [None if p is None else loss(i, p) for i, p in enumerate(parts)]
        present = [value for value in losses if value is not None]
        torch.stack(present).sum().backward()  # type: ignore[no-untyped-call]
        seen = iter(torch.stack(present).tolist())
        return tuple(None if value is None else next(seen) for value in losses)

    def logps(self, batches: Sequence[Sequence[TokenRow]]) -> list[Tensor | None]:
        """Log-probabilities of the learned tokens, by adapter, in order of its rows and places."""
        if len(batches) != len(self.specs):
            raise UsageError(f"got rows for {len(batches)} adapters, expected {len(self.specs)}")
        layout = arrange(batches).to(self._decoder.weight.device)
        parts = self._decoder.logp_K(layout, self._weights).split_with_sizes(layout.picked_sizes)
        return [part if rows else None for part, rows in zip(parts, batches, strict=True)]

    @torch.no_grad()
    def base_logps(self, batches: Sequence[Sequence[TokenRow]]) -> list[Tensor | None]:
        """As `logps`, under the base alone, with every adapter off; no gradient."""
        layout = arrange(batches).to(self._decoder.weight.device)
        parts = self._decoder.logp_K(layout, [self._silent]).split_with_sizes(layout.picked_sizes)
        return [part if rows else None for part, rows in zip(parts, batches, strict=True)]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for own in self._weights:
            own.grad.zero_()

    def gradient_norms(self) -> tuple[float, ...]:
        """Of what `backward` added, each adapter's, before `apply` clips it."""
        norms: list[float] = torch.stack([own.grad.norm() for own in self._weights]).tolist()
        return tuple(norms)

    def apply(self, active: Sequence[bool]) -> None:
        """Clip each adapter's gradient by its own norm and take its own step.

        Args:
            active: adapters that take part; the others keep weights and optimiser state.
        """
        groups = self.optimiser.param_groups
        for own, taking_part, group in zip(self._weights, active, groups, strict=True):
            group["lr"] = own.spec.rate_at(self.num_steps)
            own.param.grad = own.grad if taking_part else None
            nn.utils.clip_grad_norm_([own.param], own.spec.clip)
        self.optimiser.step()
        self.num_steps += 1

    def delta(self, name: str) -> AdapterDelta:
        """An adapter as deltas: views that later steps change."""
        return self._weights[self._index(name)].delta()

    def load(self, name: str, delta: AdapterDelta) -> None:
        """Start an adapter from given weights of the same shape."""
        self._weights[self._index(name)].load(delta)

    def save(self, name: str, folder: Path, *, base_name: str) -> None:
        """Write an adapter as a PEFT folder that PEFT and vLLM load as it is."""
        write_peft(self.delta(name), folder, base_model=base_name)

    def save_state(self, folder: Path) -> None:
        """Write what the next steps depend on, between two steps: `load_state` goes on from there
        bit by bit. Gradients added since the last step are not kept."""
        state = {
            "params": [own.param.detach() for own in self._weights],
            "optimiser": self.optimiser.state_dict(),
            "num_steps": self.num_steps,
        }
        save_checkpoint(folder, state, fingerprint=fingerprint(self._base, self.specs))

    def load_state(self, folder: Path) -> bool:
        """Go on where `save_state` was called; False where the folder holds no state.

        Raises:
            UsageError: it cannot be read, or is of other adapters or another base.
        """
        state = load_checkpoint(folder, fingerprint=fingerprint(self._base, self.specs))
        if state is None:
            return False
        for own, value in zip(self._weights, state["params"], strict=True):
            own.param.detach().copy_(value)
        self.optimiser.load_state_dict(state["optimiser"])
        self.num_steps = state["num_steps"]
        return True

    def _index(self, name: str) -> int:
        names = [spec.name for spec in self.specs]
        if name not in names:
            raise UsageError(f"no adapter {name!r} in this run; there are {names}")
        return names.index(name)

    def _new(self, spec: AdapterSpec) -> Weights:
        wanted, shapes = set(spec.targets), self._decoder.shapes()
        known = {name.rpartition(".")[2] for name in shapes}
        if not wanted or wanted - known:
            raise UsageError(
                f"adapter {spec.name!r} has targets {sorted(wanted)}, expected some of "
                f"{sorted(known)}"
            )
        like = self._decoder.weight.detach()
        return Weights(spec, groups=self._decoder.groups(), shapes=shapes, like=like)
