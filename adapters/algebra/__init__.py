"""The algebra of adapters, in factor form: exact sums, best approximations, products. Pure.

One file per method. Nothing here forms a d x d matrix unless the method is about its entries; then
it is done by blocks of rows. Inputs are never changed, results stay on their device, accumulation
is float64. To add a method: a file with its formula, hand-worked numbers in
`tests/adapters/algebra/`, one line below.
"""

from .bai_init import bai_init
from .component_graft import component_graft
from .components import Components, components
from .concat import concat
from .dare import dare
from .elections import SignElection
from .element_graft import SparseDelta, element_graft
from .fit import FittedWeights, fit_weights
from .magnitude import magnitude
from .overlap import Overlap, overlap
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
from .skill_vector import skill_vector
from .subtract import subtract
from .ties import ties
from .truncate import truncate
from .truncated import Truncated

__all__ = [
    "Components",
    "Energy",
    "FittedWeights",
    "Overlap",
    "Rank",
    "SignElection",
    "SparseDelta",
    "Truncated",
    "bai_init",
    "component_graft",
    "components",
    "concat",
    "cosine",
    "cosines",
    "dare",
    "element_graft",
    "fit_weights",
    "gram",
    "inner",
    "magnitude",
    "module_cosines",
    "module_inners",
    "module_norms",
    "norm",
    "overlap",
    "scale",
    "skill_vector",
    "subtract",
    "ties",
    "truncate",
]
