"""Keep some rank-one terms of an adapter: an ordinary, smaller LoRA. Pure.

Shape letters: `R` terms, `I` in, `O` out features.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from ..delta import AdapterDelta
from .checks import check_fraction, check_rank, result_dtype
from .components import Components, components
from .stacks import stored
from .truncated import Piece, Truncated, assemble, zero_piece


def component_graft(
    delta: AdapterDelta,
    *,
    keep: int | float | None = None,
    gates: Mapping[str, Tensor] | None = None,
    generator: torch.Generator | None = None,
) -> Truncated:
    """`D -> sum_r g_r s_r u_r v_r^T`, the terms of each module's SVD gated by `g` in [0, 1].

    Args:
        keep: how many terms per module (int >= 1), or which share of them (float in (0, 1], rounded
            up): the largest ones, or random ones where a generator is given.
        gates: instead of `keep`: per module one gate for each term of `components`, in its order.
        generator: draws which terms are kept; a control for "the largest".

    Returns:
        Scale 1, float32 (float64 where a factor is). A module that keeps nothing becomes zero of
        rank 1. The error is known: `||D - D_g||^2 = sum_r (1 - g_r)^2 s_r^2`.

    Raises:
        ValueError: not exactly one of keep and gates; a share outside (0, 1]; gates that miss a
            module, have another length or leave [0, 1].

    Source: skill localisation by grafting (arXiv:2302.06600).
    Departs: gates act on rank-one terms instead of single weights, so that the graft stays a LoRA
        that every engine serves; `element_graft` is the paper's own form.
    """
    if (keep is None) == (gates is None):
        raise ValueError("expected exactly one of keep=... and gates=...")
    if gates is not None and generator is not None:
        raise ValueError("gates with a generator: expected a generator only with keep=...")
    pieces = {}
    for name, terms in components(delta).items():
        if gates is not None:
            gate_R = _gate_of(name, terms, gates)
        else:
            gate_R = _kept(terms, keep if keep is not None else 1.0, generator)
        pieces[name] = _gated(terms, gate_R, result_dtype([delta[name]]))
    return assemble(pieces)


def _kept(terms: Components, keep: int | float, generator: torch.Generator | None) -> Tensor:
    num_terms = len(terms.values_R)
    if isinstance(keep, int):
        check_rank(keep)
        number = min(keep, num_terms)
    else:
        check_fraction(keep, "share of components to keep")
        number = math.ceil(keep * num_terms)
    gate_R = torch.zeros_like(terms.values_R)
    if generator is None:
        gate_R[:number] = 1.0
    else:
        order = torch.randperm(num_terms, generator=generator, device=generator.device)
        gate_R[order[:number].to(gate_R.device)] = 1.0
    return gate_R


def _gate_of(name: str, terms: Components, gates: Mapping[str, Tensor]) -> Tensor:
    if name not in gates:
        raise ValueError(f"no gates for module {name}: expected one tensor per module")
    gate_R = gates[name].detach().to(terms.values_R)
    if gate_R.shape != terms.values_R.shape:
        raise ValueError(
            f"module {name}: gates of shape {tuple(gate_R.shape)}: expected "
            f"({len(terms.values_R)},), one for each of its components"
        )
    if not bool(((gate_R >= 0.0) & (gate_R <= 1.0)).all()):
        raise ValueError(f"module {name}: a gate lies outside [0, 1]: pass it through a sigmoid")
    return gate_R


def _gated(terms: Components, gate_R: Tensor, dtype: torch.dtype) -> Piece:
    total = float(terms.values_R.square().sum())
    lost = float(((1.0 - gate_R) * terms.values_R).square().sum())
    live = (gate_R * terms.values_R).nonzero().flatten()
    if not len(live):
        shape = len(terms.left_OR), terms.right_RI.shape[1]
        return Piece(zero_piece(shape, terms.left_OR, dtype).module, lost, total, "components")
    roots = (gate_R * terms.values_R)[live].sqrt()
    up_OR, down_IR = terms.left_OR[:, live] * roots, terms.right_RI[live].mT * roots
    return Piece(stored(up_OR, down_IR, dtype), lost, total, "components")
