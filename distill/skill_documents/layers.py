"""The layers of one arm: what was touched, what was taken up, what passed; its price. Pure.

Owns figures over the results of one arm. Reading is deterministic, so a trail is made again from
the request: answers that were reused from an earlier run count like new ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..evaluation.types import ItemResult
from .document import Fact, SkillDocument
from .layouts import facts_in
from .phrases import occurs
from .uptake import Action, touched, uptakes


@dataclass(frozen=True)
class Trail:
    """One request and the actions before its answer; `wanted` are the facts whose key it names.

    `prompt_tokens` are those of the reader's calls, which the answer's own do not include.
    """

    request: str
    wanted: frozenset[Fact]
    actions: tuple[Action, ...] = ()
    prompt_tokens: int = 0

    @property
    def saw_all(self) -> bool:
        """Whether every wanted fact was shown."""
        shown = {fact.normal for action in self.actions for fact in facts_in(action.shown)}
        return self.wanted <= shown


@dataclass(frozen=True)
class Layers:
    """Figures of one arm over its items, all but the last means an item.

    `saw_all` is the share of items whose facts were all shown, which bounds what a text can do.
    `answer_prompt` are the prompt tokens of the answering call alone; `tokens_per_pass` are those
    of all calls, prompts and completions, over the items that passed. None: nothing passed.
    """

    touched: float
    saw_all: float
    uptake: float
    passed: float
    answer_prompt: float
    tokens_per_pass: float | None

    def __str__(self) -> str:
        tokens = self.tokens_per_pass
        price = "nothing passed" if tokens is None else f"{tokens:.0f} tokens a pass"
        return (
            f"touched {self.touched:.2f}, saw all {self.saw_all:.3f}, uptake {self.uptake:.2f}, "
            f"passed {self.passed:.3f}, {self.answer_prompt:.0f} prompt tokens an answer, {price}"
        )


def wanted_facts(document: SkillDocument, request: str) -> frozenset[Fact]:
    """The facts of a document whose key stands in a request."""
    return frozenset(fact.normal for fact in document.facts if occurs(fact.key, request))


def layers_of(results: Sequence[ItemResult], trails: Mapping[str, Trail]) -> Layers:
    """The layers of one arm.

    Args:
        results: at least one.
        trails: item id -> how it was read.
    """
    read = [trails[result.item_id] for result in results]
    played = [[*one.actions, Action(r.answer)] for one, r in zip(read, results, strict=True)]
    taken = [uptakes(one.request, acts) for one, acts in zip(read, played, strict=True)]
    num, num_passed = len(results), sum(result.passed for result in results)
    tokens = sum(result.prompt_tokens + result.completion_tokens for result in results)
    return Layers(
        touched=sum(map(touched, played)) / num,
        saw_all=sum(one.saw_all for one in read) / num,
        uptake=sum(map(len, taken)) / num,
        passed=num_passed / num,
        answer_prompt=(sum(r.prompt_tokens for r in results) - sum(t.prompt_tokens for t in read))
        / num,
        tokens_per_pass=tokens / num_passed if num_passed else None,
    )
