"""Arms made of other arms: sums and averages of their adapters, and the best of several answers.

A sum is a model string (`a@1:adapter+b@1:adapter`), which the server adds up when it is first
asked for; `open_course(rank=...)` makes room for it to be exact. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..evaluation import Arm


def summed_arm(parts: Mapping[str, Sequence[Arm]]) -> Arm:
    """`parts`: cluster -> arms of one adapter each, which are added up for its items."""
    models = {cluster: "+".join(arm.model for arm in arms) for cluster, arms in parts.items()}
    return Arm("summed", "Adapters that were trained apart, added up.", models=models)


def averaged_arm(parts: Mapping[str, Sequence[Arm]]) -> Arm:
    """As `summed_arm`, with equal weights that sum to one."""
    models = {
        cluster: "+".join(
            f"{arm.model}*{1 / len(arms):.6f}" if len(arms) > 1 else arm.model for arm in arms
        )
        for cluster, arms in parts.items()
    }
    return Arm("averaged", "Adapters that were trained apart, averaged.", models=models)


def best_of(arm: Arm, num_samples: int) -> Arm:
    """The same arm with several answers an item, of which the first that passes counts."""
    about = f"Of {num_samples} answers of {arm.name} the first that the verifier passes."
    return replace(arm, name=f"{arm.name}_best", about=about, samples=num_samples)
