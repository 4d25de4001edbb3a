"""A decoder of the Llama family, run over the places of a joint step.

Owns reading the frozen modules of a base and stringing them together; the mathematics is in
`ops.py` and `linear.py`. After the last attention only the places that predict a learned token go
on. Other families are refused by name: one is added by checking that its layers are of this form.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel

from ....adapters.errors import UsageError
from .attention import Spread, attend, spread
from .blocks import Mlp, feed_forward, project
from .layout import Layout
from .linear import Group, Segments
from .ops import Pick, RmsNorm, Rotate, TargetLogp
from .weights import Weights

FAMILIES = ("llama", "mistral", "qwen2", "qwen3")
"""`model_type`s whose layers have this form."""


class Decoder:
    """The frozen base as the joint step sees it. Nothing of it is copied or changed.

    Raises:
        UsageError: the base is of another family, or attends within a sliding window.
    """

    def __init__(self, base: PreTrainedModel) -> None:
        config: Any = base.config
        if config.model_type not in FAMILIES:
            raise UsageError(
                f"the base is of family {config.model_type!r}, the joint step knows "
                f"{', '.join(FAMILIES)}; train its adapters one after the other"
            )
        if {*(getattr(config, "layer_types", None) or ())} - {"full_attention"}:
            raise UsageError(
                "the base attends within a sliding window, the joint step knows full attention "
                "only; train its adapters one after the other"
            )
        self._model: Any = base.model
        self._head: nn.Linear = base.lm_head
        self._layers = [_Layer(index, layer) for index, layer in enumerate(self._model.layers)]

    @property
    def weight(self) -> Tensor:
        """Any weight of the base: its dtype and device are those of the step."""
        return self._head.weight

    def shapes(self) -> Mapping[str, tuple[int, int]]:
        """(out, in) features of every projection, by its name in the base."""
        return {
            name: (module.out_features, module.in_features)
            for layer in self._layers
            for group in layer.groups
            for name, module in zip(group.names, group.modules, strict=True)
        }

    def groups(self) -> list[tuple[str, ...]]:
        """Names of the projections that share an input."""
        return [group.names for layer in self._layers for group in layer.groups]

    def logp_K(self, layout: Layout, weights: Sequence[Weights]) -> Tensor:
        """Log-probability of every picked target under its own adapter."""
        x_TF = self._model.embed_tokens(layout.ids_T).detach()
        cos, sin = self._model.rotary_emb(x_TF[None], layout.positions_T[None])
        turn = (cos[0, :, None], sin[0, :, None])
        rows = self._spread(layout)
        segments = Segments(tuple(weights), layout.sizes)
        for layer in self._layers:
            mixed_TF = layer.attention(x_TF, rows, turn, segments)
            if layer is self._layers[-1]:
                x_TF, mixed_TF = _pick(x_TF, layout.picked_K), _pick(mixed_TF, layout.picked_K)
                segments = Segments(tuple(weights), layout.picked_sizes)
            x_TF = layer.rest(x_TF, mixed_TF, segments)
        x_KF = _norm(self._model.norm, x_TF)
        logp: Tensor = TargetLogp.apply(x_KF, self._head.weight, layout.targets_K)  # type: ignore[no-untyped-call]
        return logp

    def _spread(self, layout: Layout) -> Spread:
        config: Any = self._model.config
        return spread(
            layout.rows, heads=config.num_attention_heads, key_heads=config.num_key_value_heads,
            like=self.weight,
        )  # fmt: skip


class _Layer:
    def __init__(self, index: int, layer: Any) -> None:
        self._layer = layer
        attention, mlp, prefix = layer.self_attn, layer.mlp, f"model.layers.{index}."

        def group(part: str, owner: Any, names: str) -> Group:
            full = tuple(f"{prefix}{part}.{name}" for name in names.split())
            return Group(full, tuple(getattr(owner, name) for name in names.split()))

        self._qkv = group("self_attn", attention, "q_proj k_proj v_proj")
        self._o = group("self_attn", attention, "o_proj")
        wide, down = group("mlp", mlp, "gate_proj up_proj"), group("mlp", mlp, "down_proj")
        norm = layer.post_attention_layernorm
        self._mlp = Mlp(norm.weight.detach(), norm.variance_epsilon, wide, down)
        self.groups = (self._qkv, self._o, wide, down)

    def attention(
        self,
        x_TF: Tensor,
        rows: Spread,
        turn: tuple[Tensor, Tensor],
        segments: Segments,
    ) -> Tensor:
        """What attention mixes, before its output projection."""
        own = self._layer.self_attn
        q, k, v = (
            out.view(out.shape[0], -1, own.head_dim)
            for out in project(_norm(self._layer.input_layernorm, x_TF), self._qkv, segments)
        )
        if hasattr(own, "q_norm"):
            q, k = _norm(own.q_norm, q), _norm(own.k_norm, k)
        q, k = (Rotate.apply(part, *turn) for part in (q, k))  # type: ignore[no-untyped-call]
        return attend(q, k, v, rows, scale=own.scaling)

    def rest(self, x_TF: Tensor, mixed_TF: Tensor, segments: Segments) -> Tensor:
        """The output projection and the feed-forward part, with both residual sums."""
        (out,) = project(mixed_TF, self._o, segments)
        return feed_forward(x_TF + out, self._mlp, segments)


def _norm(module: Any, x: Tensor) -> Tensor:
    out: Tensor = RmsNorm.apply(x, module.weight.detach(), module.variance_epsilon)  # type: ignore[no-untyped-call]
    return out


def _pick(x_TF: Tensor, picked_K: Tensor) -> Tensor:
    out: Tensor = Pick.apply(x_TF, picked_K)  # type: ignore[no-untyped-call]
    return out
