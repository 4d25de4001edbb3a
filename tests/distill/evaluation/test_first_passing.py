"""An arm of several samples: asked until an answer passes, and never mistaken for the plain arm."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from skillweave.distill.evaluation import (
    CONTROLS,
    Above,
    Absent,
    Answer,
    Arm,
    ArmCache,
    Criterion,
    Item,
    Known,
    Sampled,
    Trial,
    mean,
)
from skillweave.distill.evaluation.first_passing import FirstPassing
from skillweave.distill.evaluation.freeze import arms_digest
from skillweave.distill.worlds.string_skills import SkillSpec, StringTask, draw_tasks

PLAIN, SEVERAL = Arm("plain", model="a@1"), Arm("several", model="a@1", samples=3)


@dataclass
class RightAt:
    """Right at one number of sample alone; what is no sample is wrong."""

    number: int
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def __call__(self, arm: Arm, item: Item, /) -> Answer:
        number = item.number if isinstance(item, Sampled) else -1
        self.asked.append((arm.name, number))
        task = item.item if isinstance(item, Sampled) else item
        assert isinstance(task, StringTask)
        return Answer(task.worked if number == self.number else f"final: {number}", 10, 2)


@pytest.fixture
def items(spec: SkillSpec) -> Sequence[StringTask]:
    return draw_tasks(spec, family="f", split="test", num_tasks=3, seed=0)


def test_asking_ends_with_the_first_answer_that_passes(items: Sequence[StringTask]) -> None:
    ask = RightAt(1)
    answer = asyncio.run(FirstPassing(ask)(SEVERAL, items[0]))
    assert items[0].verify(answer.text).passed
    assert ask.asked == [("several", 0), ("several", 1)]
    assert (answer.prompt_tokens, answer.completion_tokens) == (20, 4)


def test_without_any_that_passes_the_last_one_stands(items: Sequence[StringTask]) -> None:
    ask = RightAt(3)
    answer = asyncio.run(FirstPassing(ask)(SEVERAL, items[0]))
    assert answer.text == "final: 2"
    assert (len(ask.asked), answer.prompt_tokens) == (3, 30)


def test_an_arm_of_one_sample_is_passed_on(items: Sequence[StringTask]) -> None:
    ask = RightAt(0)
    asyncio.run(FirstPassing(ask)(PLAIN, items[0]))
    assert ask.asked == [("plain", -1)]


def test_samples_of_a_sample_are_none_that_another_has(items: Sequence[StringTask]) -> None:
    ask = RightAt(9)
    for number in (0, 1):
        asyncio.run(FirstPassing(ask)(SEVERAL, Sampled(items[0], number)))
    assert [number for _, number in ask.asked] == [0, 1, 2, 3, 4, 5]


def test_in_a_trial_the_same_weights_with_more_samples_are_another_arm(
    tmp_path: Path, items: Sequence[StringTask]
) -> None:
    criterion = Criterion(statement="s", clauses=(Above(what=mean(arm="several"), bar=0.5),))
    controls = {**dict.fromkeys(CONTROLS, Absent("not needed here")), "budget": "several"}
    known = Known("base", {"a@1": "weights"}, {"temperature": 0.0})
    asks = []
    for _ in range(2):
        asks.append(RightAt(2))
        trial = Trial(cache=ArmCache(tmp_path))
        results = asyncio.run(
            trial.ask(
                [PLAIN, SEVERAL], items, criterion=criterion, controls=controls, ask=asks[-1],
                known=known,
            )
        )  # fmt: skip
        assert [row.passed for row in results] == [False] * 3 + [True] * 3
    assert len(asks[0].asked) == 3 + 9
    assert asks[1].asked == []
    assert arms_digest([PLAIN]) != arms_digest([Arm("plain", model="a@1", samples=2)])
