"""What the adapter promises without the package: specs, splits, seeds, and a clear refusal."""

import importlib.util
import itertools

import pytest
from skillweave.adapters.errors import SkillError
from skillweave.distill.worlds.checkers import checker_of
from skillweave.distill.worlds.reasoning import WORLD, ReasoningSpec, reasoning_skill, split_of
from skillweave.distill.worlds.reasoning.gym import ALLOWED, SPACING, Entry
from skillweave.distill.worlds.reasoning.tasks import ReasoningTask, _seed
from skillweave.distill.worlds.types import Split

SPLITS: tuple[Split, ...] = ("pretrain", "train", "dev", "test")

EVALUATE = (
    "n_queens", "string_insertion", "spiral_matrix", "binary_matrix", "countdown", "puzzle24",
    "simple_integration", "intermediate_integration", "polynomial_multiplication",
)  # fmt: skip


@pytest.mark.parametrize("name", [*EVALUATE, "coin_flip", "number_sorting", "codeio"])
def test_tasks_whose_scorers_cannot_be_trusted_are_refused(name: str) -> None:
    assert name not in ALLOWED
    with pytest.raises(
        ValueError, match=f"task '{name}' is not allowed, expected one of chain_sum"
    ):
        ReasoningSpec(name, 1, short=False)


def test_a_spec_comes_back_and_others_are_refused() -> None:
    spec = ReasoningSpec("leg_counting", 2, draw=3, short=False)
    assert ReasoningSpec.from_json(spec.to_json()) == spec
    with pytest.raises(ValueError, match="'leg_counting' has no short face"):
        ReasoningSpec("leg_counting", 2)
    with pytest.raises(ValueError, match="level 4 does not exist in reasoning, expected 1 to 3"):
        ReasoningSpec("lcm", 4)
    for text in ("[]", "{}", '{"task": "lcm", "level": true, "draw": 0, "short": true}'):
        with pytest.raises(ValueError, match="is not a reasoning skill"):
            ReasoningSpec.from_json(text)


def test_a_question_has_one_split_for_ever() -> None:
    counts = dict.fromkeys(SPLITS, 0)
    for index in range(2000):
        counts[split_of("chain_sum", f"{index} + 1 =")] += 1
    assert split_of("chain_sum", "4 - 1 =") == split_of("chain_sum", "4 - 1 =")
    assert 0.55 < counts["train"] / 2000 < 0.65
    assert 0.16 < counts["test"] / 2000 < 0.24
    assert 0.11 < counts["dev"] / 2000 < 0.19


def test_seeds_of_splits_lie_further_apart_than_any_index_reaches() -> None:
    seeds = {split: {_seed(split, str(key)) for key in range(200)} for split in SPLITS}
    every = sorted({seed for drawn in seeds.values() for seed in drawn})
    assert all(b - a >= SPACING > 10**6 for a, b in itertools.pairwise(every))
    assert max(every) + SPACING < 2**32
    assert sum(len(drawn) for drawn in seeds.values()) == len(every)


def test_skills_can_be_drawn_without_the_package() -> None:
    skills = [WORLD.skill(1 + seed % 3, seed=seed) for seed in range(40)]
    assert {skill.name for skill in skills} == {
        "chain-sum-manner", "basic-arithmetic-manner", "spell-backward-manner", "lcm-manner",
    }  # fmt: skip
    assert skills[0] == WORLD.skill(1, seed=0)
    assert reasoning_skill(ReasoningSpec("gcd", 1, short=False)).body.startswith("Work step")


@pytest.mark.skipif(
    importlib.util.find_spec("reasoning_gym") is not None, reason="the extra is installed here"
)
def test_without_the_package_tasks_are_refused_and_the_extra_is_named() -> None:
    with pytest.raises(SkillError, match=r"needs reasoning-gym 0.1.25, not installed: .*envs-text"):
        checker_of(WORLD.skill(1, seed=0))


@pytest.mark.parametrize("answer", ["\u0661\u0660", "\uff11\uff10", "1_0", "\u200b10", "\udc0010"])
def test_what_only_a_programming_language_reads_as_the_number_is_no_answer(answer: str) -> None:
    """The verdict falls before any scorer, so the package is not needed."""
    question = "State the final answer to the following arithmetic problem: 8 + 2 ="
    entry = Entry("chain_sum", 1, 0, 0, question, "10")
    task = ReasoningTask("f", "test", ReasoningSpec("chain_sum", 1), entry)
    verdict = task.verify(f"final: {answer}")
    assert (verdict.passed, verdict.reward) == (False, 0.0)
    assert verdict.reason.startswith("the answer is written with ")
    assert verdict.reason.isascii()
