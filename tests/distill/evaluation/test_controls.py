"""Controls are there or excused, and the ones made here are what they say."""

import asyncio

import pytest
import torch
from skillweave.adapters.delta import Delta
from skillweave.adapters.skills import Skill, system_prompt
from skillweave.distill.evaluation import (
    CONTROLS,
    Absent,
    Answer,
    Arm,
    Controls,
    EvaluationError,
    WithOracle,
    evaluate,
    oracle_answer,
    oracle_arm,
    require_controls,
    require_declared,
    several_samples,
    shuffled_arm,
    shuffled_text,
)
from skillweave.distill.evaluation.random_adapter import frobenius_norm, random_like
from skillweave.distill.worlds.string_skills import SkillSpec, draw_tasks

EXCUSED: Controls = dict.fromkeys(CONTROLS, Absent("this test needs none"))


def test_every_control_is_an_arm_of_the_run_or_has_a_reason() -> None:
    require_controls({**EXCUSED, "none": "base"}, ["base", "method"])
    with pytest.raises(EvaluationError, match=r"'none' is said to be arm 'nil'.*'base', 'method'"):
        require_controls({**EXCUSED, "none": "nil"}, ["method", "base"])


def test_a_control_that_nobody_speaks_of_is_an_error_that_says_what_it_rules_out() -> None:
    some = {name: why for name, why in EXCUSED.items() if name not in ("random", "budget")}
    with pytest.raises(EvaluationError, match=r"2 of 6 controls: 'random' \(a random adapter"):
        require_declared(some)


def test_an_excuse_needs_a_reason() -> None:
    with pytest.raises(EvaluationError, match="without a reason"):
        Absent("  ")


def test_the_oracle_passes_every_item_and_other_arms_are_passed_on(spec: SkillSpec) -> None:
    items = draw_tasks(spec, family="f", split="test", num_tasks=5, seed=0)

    async def ask(arm: Arm, item: object, /) -> Answer:
        return Answer(f"asked as {arm.name}", 1, 1)

    arms = [oracle_arm(), Arm("method")]
    got = asyncio.run(evaluate(arms, several_samples(items, 2), ask=WithOracle(ask)))
    assert [row.passed for row in got] == [True] * 10 + [False] * 10
    assert {row.answer for row in got[10:]} == {"asked as method"}


class Speechless:
    """An item without a world behind it."""

    id, family, split = "i", "f", "test"
    messages: tuple[dict[str, object], ...] = ()
    meta: dict[str, object] = {}  # noqa: RUF012

    def verify(self, text: str) -> object:
        raise NotImplementedError


def test_an_item_without_a_world_has_no_oracle() -> None:
    with pytest.raises(EvaluationError, match=r"no environment\(\)"):
        oracle_answer(Speechless())  # type: ignore[arg-type]


def test_shuffled_words_are_the_same_words_in_another_order_line_by_line() -> None:
    text = "take the list\n\nturn it around and say it"
    got = shuffled_text(text, seed=1)
    assert sorted(got.split()) == sorted(text.split())
    assert [len(line.split()) for line in got.splitlines()] == [3, 0, 6]
    assert got != text
    assert got == shuffled_text(text, seed=1) != shuffled_text(text, seed=2)


@pytest.mark.parametrize("text", ["", "one", "so so so"])
def test_a_text_that_has_one_order_stays(text: str) -> None:
    assert shuffled_text(text, seed=0) == text


def test_the_shuffled_arm_asks_every_skill_with_its_own_words(skill: Skill) -> None:
    arm = shuffled_arm([skill], seed=0)
    system = arm.system_for(skill.name)
    assert system is not None
    assert sorted(system.split()) == sorted(system_prompt(skill).split())
    assert system.split() != system_prompt(skill).split()


def test_a_random_adapter_has_the_norm_of_each_module_and_points_elsewhere() -> None:
    draw = torch.Generator().manual_seed(0)
    adapter = {
        name: Delta(
            torch.randn(rank, 6, generator=draw), torch.randn(5, rank, generator=draw), scale
        )
        for name, rank, scale in (("a", 2, 0.5), ("b", 3, -2.0))
    }
    adapter["zero"] = Delta(torch.randn(2, 6, generator=draw), torch.zeros(5, 2), 1.0)
    got = random_like(adapter, generator=torch.Generator().manual_seed(7))
    for name, delta in adapter.items():
        assert got[name].shape == delta.shape
        assert got[name].rank == delta.rank
        dense = got[name].dense_OI()
        assert float(dense.norm()) == pytest.approx(float(delta.dense_OI().norm()), rel=1e-5)
        assert frobenius_norm(delta) == pytest.approx(float(delta.dense_OI().norm()), rel=1e-5)
        assert name == "zero" or not torch.allclose(dense, delta.dense_OI(), atol=0.1)
    again = random_like(adapter, generator=torch.Generator().manual_seed(7))
    assert all(torch.equal(got[name].up_OR, again[name].up_OR) for name in got)
