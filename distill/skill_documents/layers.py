"""The layers of one arm: what was touched, what was taken up, what passed; its price. Pure.

Owns figures over the results of one arm. Reading is deterministic, so a trajectory is made again
from request and answer: answers that were reused from an earlier run count like new ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..evaluation.types import ItemResult
from .uptake import Action, touched, uptakes


@dataclass(frozen=True)
class Layers:
    """Figures of one arm over its items; the first three are means an item.

    `tokens_per_pass` are prompt and completion tokens of all calls over the items that passed;
    None where nothing passed.
    """

    touched: float
    uptake: float
    passed: float
    tokens_per_pass: float | None

    def __str__(self) -> str:
        tokens = self.tokens_per_pass
        price = "nothing passed" if tokens is None else f"{tokens:.0f} tokens a pass"
        return (
            f"touched {self.touched:.2f}, uptake {self.uptake:.2f}, passed {self.passed:.3f}, "
            f"{price}"
        )


def layers_of(
    results: Sequence[ItemResult],
    requests: Mapping[str, str],
    read: Mapping[str, Sequence[Action]],
) -> Layers:
    """The layers of one arm.

    Args:
        results: at least one.
        requests: item id -> the request.
        read: item id -> the actions before the answer; none for an arm without a text.
    """
    reads = [[*read.get(r.item_id, ()), Action(r.answer)] for r in results]
    pairs = list(zip(results, reads, strict=True))
    num_passed = sum(result.passed for result in results)
    tokens = sum(result.prompt_tokens + result.completion_tokens for result in results)
    return Layers(
        touched=sum(touched(actions) for actions in reads) / len(results),
        uptake=sum(len(uptakes(requests[r.item_id], actions)) for r, actions in pairs)
        / len(results),
        passed=num_passed / len(results),
        tokens_per_pass=tokens / num_passed if num_passed else None,
    )
