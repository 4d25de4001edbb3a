"""Best of several answers by the verifier: what sampling alone buys, as an arm beside the others.

Owns the asking. Such an arm uses the verifier while it answers, as no user could: it is a bound on
what more samples give, never a method. How a sample is drawn is the wrapped `Ask`'s matter, from
the number that a `Sampled` item carries.
"""

from __future__ import annotations

from .evaluator import Ask
from .samples import Sampled, several_samples
from .types import Answer, Arm, Item


class FirstPassing:
    """Asks an arm of several samples until an answer passes and gives that one, else the last.

    Best of n in the first pass: samples that could no longer change the verdict are not asked
    for. Tokens and seconds count over all that were. Arms of one sample are passed on; an `Ask`.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def __call__(self, arm: Arm, item: Item, /) -> Answer:
        if arm.samples == 1:
            return await self._ask(arm, item)
        seen: list[Answer] = []
        for sample in _samples(item, arm.samples):
            seen.append(await self._ask(arm, sample))
            if item.verify(seen[-1].text).passed:
                break
        return Answer(
            seen[-1].text,
            sum(answer.prompt_tokens for answer in seen),
            sum(answer.completion_tokens for answer in seen),
            headers=seen[-1].headers,
            wall_s=sum(answer.wall_s for answer in seen),
        )


def _samples(item: Item, num_samples: int) -> tuple[Sampled, ...]:
    """Fresh samples; of an item that is a sample itself, so many from its own place on."""
    if isinstance(item, Sampled):
        first = item.number * num_samples
        return tuple(Sampled(item.item, first + number) for number in range(num_samples))
    return several_samples([item], num_samples)
