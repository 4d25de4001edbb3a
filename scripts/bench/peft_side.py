"""PEFT's own merges, as the other side of `bench compose` and as the oracle of the algebra's tests.

Owns the cheapest honest form of PEFT's call: a model of bare linear layers that carries the same
adapters, and the time of `add_weighted_adapter` alone. Refuses to own our side and the figures.
"""

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from peft import LoraConfig, get_peft_model
from peft.utils import merge_utils
from torch import Tensor, nn

from ...adapters.delta import AdapterDelta, Delta

Mode = Literal[
    "svd",
    "linear",
    "cat",
    "ties",
    "ties_svd",
    "dare_linear_svd",
    "dare_ties_svd",
    "magnitude_prune_svd",
]

_MERGES = {
    "ties_svd": merge_utils.ties,
    "magnitude_prune_svd": merge_utils.magnitude_prune,
    "dare_linear_svd": merge_utils.dare_linear,
    "dare_ties_svd": merge_utils.dare_ties,
}


@dataclass(frozen=True, eq=False)
class Merged:
    """What one call gave, and how long the call took."""

    delta: AdapterDelta
    seconds: float


class PeftSide:
    """Several adapters on one model of bare linear layers, float32, on the CPU.

    Args:
        deltas: ranks may differ between adapters, not within one; module sets may differ.
    """

    def __init__(self, deltas: Sequence[AdapterDelta]) -> None:
        self._names = list(dict.fromkeys(name for delta in deltas for name in delta))
        self._keys = {name: f"module{i}" for i, name in enumerate(self._names)}
        self.adapters = [f"skill{i}" for i in range(len(deltas))]
        self._numbers = itertools.count()
        layers = nn.ModuleDict({self._keys[n]: _linear(n, deltas) for n in self._names})
        configs = [self._config(delta) for delta in deltas]
        self._model: Any = get_peft_model(layers, configs[0], adapter_name=self.adapters[0])
        for adapter, config in zip(self.adapters[1:], configs[1:], strict=True):
            self._model.add_adapter(adapter, config)
        for adapter, delta in zip(self.adapters, deltas, strict=True):
            for name, module in delta.items():
                layer = self._layer(name)
                layer.lora_A[adapter].weight.data.copy_(module.down_RI)
                layer.lora_B[adapter].weight.data.copy_(module.up_OR)
                layer.scaling[adapter] = module.scale

    def merge(
        self,
        weights: Sequence[float],
        mode: Mode,
        *,
        rank: int | None = None,
        density: float | None = None,
        full_matrices: bool = True,
        election: Literal["total", "frequency"] = "total",
        seed: int | None = None,
    ) -> Merged:
        """One call of `add_weighted_adapter`, timed; the merged adapter is read and removed."""
        new = f"merged{next(self._numbers)}"
        if seed is not None:
            torch.manual_seed(seed)
        start = time.perf_counter()
        self._model.add_weighted_adapter(
            self.adapters,
            list(weights),
            new,
            combination_type=mode,
            svd_rank=rank,
            svd_full_matrices=full_matrices,
            density=density,
            majority_sign_method=election,
        )
        seconds = time.perf_counter() - start
        delta = self._read(new)
        self._model.delete_adapter(new)
        return Merged(delta, seconds)

    def generator_of_masks(self, seed: int, rank: int) -> torch.Generator:
        """Where the stream stands when PEFT draws its first mask after `torch.manual_seed(seed)`.

        PEFT first draws the new adapter's initial values from the same global generator; an adapter
        of the same shape is made here, and thrown away, to draw as many.
        """
        torch.manual_seed(seed)
        probe = f"probe{next(self._numbers)}"
        config = replace(
            self._model.peft_config[self.adapters[0]],
            r=rank,
            lora_alpha=rank,
            target_modules=set(self._keys.values()),
        )
        self._model.add_adapter(probe, config)
        generator = torch.Generator()
        generator.set_state(torch.get_rng_state())
        self._model.delete_adapter(probe)
        return generator

    def masked(self, name: str, weights: Sequence[float], mode: Mode, density: float) -> Tensor:
        """The merged delta of one module before its SVD; draws from torch's global generator."""
        layer, merge = self._layer(name), _MERGES[mode]
        held = [(a, w) for a, w in zip(self.adapters, weights, strict=True) if a in layer.lora_A]
        true = [layer.get_delta_weight(adapter).detach() for adapter, _ in held]
        merged: Tensor = merge(true, torch.tensor([w for _, w in held]), density)
        return merged

    def _config(self, delta: AdapterDelta) -> LoraConfig:
        (rank,) = {module.rank for module in delta.values()}
        keys = [self._keys[name] for name in delta]
        return LoraConfig(r=rank, lora_alpha=rank, target_modules=keys)

    def _layer(self, name: str) -> Any:  # PEFT's layers are typed as plain modules
        return self._model.base_model.model[self._keys[name]]

    def _read(self, adapter: str) -> AdapterDelta:
        found: dict[str, Delta] = {}
        for name in self._names:
            layer = self._layer(name)
            if adapter in layer.lora_A:
                down, up = layer.lora_A[adapter].weight, layer.lora_B[adapter].weight
                scale = float(layer.scaling[adapter])
                found[name] = Delta(down.detach().clone(), up.detach().clone(), scale)
        return found


def _linear(name: str, deltas: Sequence[AdapterDelta]) -> nn.Module:
    rows, columns = next(delta[name].shape for delta in deltas if name in delta)
    return nn.Linear(columns, rows, bias=False)
