"""The best approximation of an adapter by one of lower rank, with its error. Pure.

Owns the choice of the way (`by_qr.py`, `by_gram.py`, `weighted.py`). To add a way: a function from
a stack to pieces, and a value of `Method`.
"""

from collections.abc import Mapping
from typing import Literal

from torch import Tensor

from ..delta import AdapterDelta, Delta
from .by_gram import truncate_by_gram
from .by_qr import truncate_by_qr
from .checks import check_deltas
from .concat import concat
from .products import square_norm
from .ranks import Rank, check_target
from .stacks import Stack, stacks
from .truncated import Piece, Truncated, assemble
from .weighted import truncate_by_inputs

Method = Literal["auto", "qr", "gram"]


def truncate(
    delta: AdapterDelta,
    *,
    rank: Rank,
    method: Method = "auto",
    activations: Mapping[str, Tensor] | None = None,
) -> Truncated:
    """Per module the nearest delta of lower rank (Eckart-Young), never forming a d x d matrix.

    `D = L R` of rank `P`: its singular values are those of a `P x P` matrix. A module whose rank is
    within an asked number already is handed on as it is. Everything is computed in float64 and
    rounded once.

    Args:
        delta: any ranks, dtypes and scales; also rank above `min(O, I)`, dependent or zero factors.
        rank: a number (results may have less: never more than the numerical rank); "exact", the
            numerical rank, losing at most what storing loses (relative 1.2e-7 for float32); or
            `Energy(share)`.
        method: "qr" is the reference. "gram" is about twice as fast and refuses modules it
            cannot do within `1 + 1e-5` of the optimum. "auto" takes the QR for those.
        activations: per module the second moment of its inputs, `C = E[x x^T]` as `(I, I)`, or its
            diagonal as `(I,)`. The error is then measured and minimised as `||(D - D_r) C^(1/2)||`.

    Returns:
        Scale 1, float32 (float64 where a factor is), on the device of the factors.

    Raises:
        ValueError: a rank that means nothing; a value that is not finite; "gram" where it would be
            inaccurate; activations that are missing for a module, of another shape, or not
            positive semidefinite.

    Source: Eckart and Young 1936; by the factors' QR as in Halko, Martinsson and Tropp
        (arXiv:0909.4061, section 5).
    Departs: PEFT's `svd` finds the same optimum by a dense SVD and puts all of S into one factor.
    """
    check_target(rank)
    check_deltas([delta])
    if activations is not None:
        return _by_inputs(delta, rank, activations)
    pieces: dict[str, Piece] = {}
    within = {
        name: module
        for name, module in delta.items()
        if isinstance(rank, int) and module.rank <= rank
    }
    pieces.update({name: _as_it_is(name, module) for name, module in within.items()})
    rest = {name: module for name, module in delta.items() if name not in within}
    for stack in stacks(rest):
        found = _by_method(stack, rank, method)
        pieces.update(zip(stack.names, found, strict=True))
    return assemble({name: pieces[name] for name in delta})


def _by_inputs(delta: AdapterDelta, rank: Rank, activations: Mapping[str, Tensor]) -> Truncated:
    missing = [name for name in delta if name not in activations]
    if missing:
        raise ValueError(
            f"no activations for {len(missing)} of {len(delta)} modules, the first is "
            f"{missing[0]}: expected second moments for every module"
        )
    return assemble(
        {n: truncate_by_inputs(n, module, activations[n], rank) for n, module in delta.items()}
    )


def _as_it_is(name: str, module: Delta) -> Piece:
    total = square_norm(name, module)
    return Piece(concat([{name: module}], [1.0])[name], 0.0, total, "kept")


def _by_method(stack: Stack, rank: Rank, method: Method) -> list[Piece]:
    rows, terms = stack.ups_BOP.shape[1:]
    tall = terms <= min(rows, stack.downs_BIP.shape[1])
    if method == "qr" or rank == "exact" or not tall:
        return truncate_by_qr(stack, rank)
    found = truncate_by_gram(stack, rank)
    missing = [i for i, piece in enumerate(found) if piece is None]
    if method == "gram" and missing:
        raise ValueError(
            f"module {stack.names[missing[0]]}: its factors are too dependent, or the error too "
            'small, for the Gram form to be accurate; use method="auto" or "qr"'
        )
    by_qr = iter(truncate_by_qr(stack.only(missing), rank) if missing else [])
    return [next(by_qr) if piece is None else piece for piece in found]
