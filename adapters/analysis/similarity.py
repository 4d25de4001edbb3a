"""How alike adapters are: cosines of their updates, in an order that puts like beside like. Pure.

Owns the order and the answer. Refuses to own the cosines themselves (`algebra.gram`) and drawing.
Letters: `N` adapters.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

MAX_ADAPTERS = 2_000
"""A map of more is a picture of nothing, and its clustering would take minutes."""


@dataclass(frozen=True)
class SimilarityMap:
    """Cosines of `N` adapters, rows and columns in clustered order.

    `refs` name the rows, `cosines[i][j]` is within -1 and 1, `norms` are Frobenius norms.
    """

    refs: tuple[str, ...]
    cosines: tuple[tuple[float, ...], ...]
    norms: tuple[float, ...]

    def nearest(self, ref: str) -> list[tuple[str, float]]:
        """All others, the most alike first.

        Raises:
            ValueError: `ref` is not among `refs`.
        """
        row = self.cosines[self.refs.index(ref)]
        others = [(other, row[j]) for j, other in enumerate(self.refs) if other != ref]
        return sorted(others, key=lambda pair: (-pair[1], pair[0]))

    def document(self) -> dict[str, object]:
        """The map as JSON."""
        return {
            "refs": list(self.refs),
            "cosines": [list(row) for row in self.cosines],
            "norms": list(self.norms),
        }


def similarity_map(refs: Sequence[str], gram_NN: Tensor) -> SimilarityMap:
    """Turn inner products into a map.

    `cos_ij = G_ij / sqrt(G_ii G_jj)`; an update that is 0 has cosine 0 with all others and 1 with
    itself.

    Args:
        refs: N names.
        gram_NN: (N, N) inner products of the updates, symmetric, float64.

    Raises:
        ValueError: the two do not fit, or N is above `MAX_ADAPTERS`.
    """
    gram = np.asarray(gram_NN.double().numpy())
    if gram.shape != (len(refs), len(refs)) or not 0 < len(refs) <= MAX_ADAPTERS:
        raise ValueError(
            f"{len(refs)} names and inner products of shape {gram.shape}: expected N and (N, N) "
            f"with 1 <= N <= {MAX_ADAPTERS}"
        )
    norms = np.sqrt(np.clip(np.diag(gram), 0, None))
    safe = np.where(norms > 0, norms, 1.0)
    cosines = np.clip(gram / np.outer(safe, safe), -1, 1)
    np.fill_diagonal(cosines, 1.0)
    order = clustered_order(1 - cosines)
    return SimilarityMap(
        refs=tuple(refs[i] for i in order),
        cosines=tuple(tuple(map(float, row)) for row in cosines[np.ix_(order, order)]),
        norms=tuple(float(norms[i]) for i in order),
    )


def clustered_order(distances_NN: "np.ndarray[tuple[int, int], np.dtype[np.float64]]") -> list[int]:
    """Leaves of the tree of average-linkage clustering, left to right.

    The two clusters with the smallest mean distance become one, again and again (UPGMA); of two
    equally close pairs the one with the lowest indices is taken, so that the order is a function of
    the distances alone. O(N^3) time in the worst case, O(N^2) memory.
    """
    far = np.array(distances_NN, dtype=np.float64)
    np.fill_diagonal(far, np.inf)
    leaves: dict[int, list[int]] = {i: [i] for i in range(len(far))}
    while len(leaves) > 1:
        a, b = sorted(map(int, np.unravel_index(int(far.argmin()), far.shape)))
        sizes = len(leaves[a]), len(leaves[b])
        joined = (sizes[0] * far[a] + sizes[1] * far[b]) / sum(sizes)
        far[a, :] = far[:, a] = joined
        far[a, a] = np.inf
        far[b, :] = far[:, b] = np.inf
        leaves[a] += leaves.pop(b)
    return next(iter(leaves.values()))
