"""What every method asks of its input before it computes. Pure.

Owns the refusals that several methods share, and the few facts about a list of deltas that they
all need (union of modules, terms per module, dtype of the result). Refuses to own mathematics.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ..delta import AdapterDelta, Delta

_LARGEST = {torch.float32: 1e15, torch.float64: 1e150}


def check_mix(deltas: Sequence[AdapterDelta], weights: Sequence[float]) -> None:
    """A mix needs terms, one finite weight for each, and equal shapes under equal names.

    Raises:
        ValueError: otherwise; the message holds the value seen.
    """
    if len(deltas) != len(weights):
        raise ValueError(
            f"{len(deltas)} adapters and {len(weights)} weights: expected one weight per adapter"
        )
    for weight in weights:
        if not math.isfinite(weight):
            raise ValueError(f"weight {weight}: expected a finite number; leave the adapter out")
    check_deltas(deltas)


def check_deltas(deltas: Sequence[AdapterDelta]) -> None:
    """At least one adapter, none without modules, equal shapes under equal names.

    Raises:
        ValueError: otherwise.
    """
    if not deltas:
        raise ValueError("0 adapters: expected at least one")
    shapes: dict[str, tuple[int, int]] = {}
    for position, delta in enumerate(deltas):
        if not delta:
            raise ValueError(f"adapter {position} has 0 modules: expected at least one")
        for name, module in delta.items():
            if shapes.setdefault(name, module.shape) != module.shape:
                raise ValueError(
                    f"module {name}: shape {module.shape} in adapter {position}, "
                    f"{shapes[name]} before it: expected one base for all; "
                    "leave out the adapter that was made for another base"
                )


def module_names(deltas: Sequence[AdapterDelta]) -> list[str]:
    """The union of the modules, in order of first appearance."""
    return list(dict.fromkeys(name for delta in deltas for name in delta))


def terms_of(
    name: str, deltas: Sequence[AdapterDelta], weights: Sequence[float]
) -> list[tuple[Delta, float]]:
    """The modules called `name` with the weights of their adapters; absent ones left out."""
    pairs = zip(deltas, weights, strict=True)
    return [(delta[name], weight) for delta, weight in pairs if name in delta]


def result_dtype(modules: Sequence[Delta]) -> torch.dtype:
    """float32, or float64 as soon as one factor is float64."""
    wide = any(torch.float64 in (m.down_RI.dtype, m.up_OR.dtype) for m in modules)
    return torch.float64 if wide else torch.float32


def check_fraction(value: float, what: str) -> None:
    """A fraction lies in (0, 1].

    Raises:
        ValueError: otherwise.
    """
    if not 0.0 < value <= 1.0:
        raise ValueError(f"{what} is {value}: expected a number in (0, 1]")


def check_rank(rank: int) -> None:
    """A rank is a whole number from 1 on.

    Raises:
        ValueError: otherwise.
    """
    if rank < 1:
        raise ValueError(f"rank is {rank!r}: expected a whole number >= 1")


def check_finite(value: Tensor, name: str) -> None:
    """Stops at NaN and infinity, in one reduction.

    Raises:
        ValueError: a value is not finite.
    """
    if not bool(torch.isfinite(value).all()):
        raise ValueError(
            f"module {name}: a value is NaN or infinite: expected finite factors; "
            "`skillweave verify` shows which adapter is spoiled"
        )


def check_entries(module: Delta, name: str) -> None:
    """A method on entries needs them finite, and so small that sums of their squares are, too.

    Raises:
        ValueError: a value is not finite, or `||D||` may be above 1e15 (1e150 in float64).
    """
    bound = abs(module.scale)
    for factor in (module.up_OR, module.down_RI):
        bound *= float(torch.linalg.vector_norm(factor.detach(), dtype=torch.float64))
    limit = _LARGEST[result_dtype([module])]
    if bound < limit:
        return
    check_finite(module.up_OR, name)
    check_finite(module.down_RI, name)
    raise ValueError(
        f"module {name}: an update of a norm up to {bound:.3g}: expected below {limit:.0e}, where "
        "arithmetic on its entries is sound; such an adapter is spoiled"
    )


def check_result(module: Delta, name: str) -> None:
    """A result holds numbers; NaN and infinity are refused where results are put together.

    Raises:
        ValueError: a value is not finite.
    """
    for factor in (module.up_OR, module.down_RI):
        if not all(map(math.isfinite, torch.stack(torch.aminmax(factor.detach())).tolist())):
            raise ValueError(
                f"module {name}: the result holds NaN or infinity: expected finite factors, and "
                f"scales and weights whose products fit {factor.dtype}; `skillweave verify` shows "
                "which adapter is spoiled"
            )


def names_by(shapes: Mapping[str, tuple[object, ...]]) -> list[list[str]]:
    """Names grouped by equal keys, so that equal shapes are computed in one batch."""
    groups: dict[tuple[object, ...], list[str]] = {}
    for name, key in shapes.items():
        groups.setdefault(key, []).append(name)
    return list(groups.values())
