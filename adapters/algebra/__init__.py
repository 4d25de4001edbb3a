"""The algebra of adapters, in factor form: exact sums, best approximations, products. Pure.

One file per method. Nothing here forms a d x d matrix unless the method is about its entries; then
it is done by blocks of rows. Inputs are never changed, results stay on their device, accumulation
is float64. To add a method: a file with its formula, hand-worked numbers in
`tests/adapters/algebra/`, one line below.
"""

from .concat import concat
from .products import (
    cosine,
    cosines,
    gram,
    inner,
    module_cosines,
    module_inners,
    module_norms,
    norm,
)
from .ranks import Energy, Rank
from .scale import scale
from .subtract import subtract
from .truncate import truncate
from .truncated import Truncated

__all__ = [
    "Energy",
    "Rank",
    "Truncated",
    "concat",
    "cosine",
    "cosines",
    "gram",
    "inner",
    "module_cosines",
    "module_inners",
    "module_norms",
    "norm",
    "scale",
    "subtract",
    "truncate",
]
