"""The package itself: oracles pass, nothing else does, and no answer is ever run."""

import random
from pathlib import Path

import pytest
from skillweave.distill.worlds.reasoning import (
    FACES,
    WORLD,
    ReasoningSpec,
    ReasoningTask,
    draw_tasks,
    reasoning_skill,
)
from skillweave.distill.worlds.reasoning.gym import ALLOWED, draw, raw_score
from transformers import PreTrainedTokenizerBase

from ..words import unknown_words

pytest.importorskip(
    "reasoning_gym",
    reason="world 'reasoning' needs reasoning_gym: pip install 'skillweave[envs-text]'",
)


def tasks_of(name: str, num_tasks: int = 5, *, short: bool = False) -> list[ReasoningTask]:
    spec = ReasoningSpec(name, 1, short=short)
    return draw_tasks(spec, family="f", split="train", num_tasks=num_tasks, seed=0)


@pytest.mark.parametrize("name", ALLOWED)
def test_the_oracle_passes_and_an_empty_or_changed_answer_does_not(name: str) -> None:
    for task in tasks_of(name):
        worked = task.environment().expert()
        assert worked == f"final: {task.entry.answer}"
        assert task.verify(worked).passed
        assert raw_score(task.entry, task.entry.answer) == 1.0
        for wrong in ("", "final:", f"final: {task.entry.answer} x", "final: x"):
            verdict = task.verify(wrong)
            assert (verdict.passed, verdict.reward) == (False, 0.0)


@pytest.mark.parametrize("name", ALLOWED)
def test_an_answer_is_never_run(name: str, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    touch = f"__import__('pathlib').Path({str(trap)!r}).touch()"
    hostile = [
        touch,
        f"[{touch}]",
        f"['1', {touch}]",
        f"lambda: {touch}",
        f"{{{{ {touch} }}}}",
        "9**9**9**9",
        "1e999999999",
        "[" * 900,
        "\udcff",
        "nan",
    ]
    for task in tasks_of(name, 2):
        for answer in hostile:
            verdict = task.verify(f"final: {answer}")
            assert (verdict.passed, verdict.reward) == (False, 0.0)
            assert raw_score(task.entry, answer) < 1.0
    assert not trap.exists()


def test_a_score_above_one_is_rounding_and_does_not_pass() -> None:
    # Nine ninths add up to 1.0000000000000002: a right word with something behind it scores more
    # than the right word alone.
    entries = (draw("spell_backward", 4, 0, index) for index in range(4000))
    entry = next(entry for entry in entries if len(entry.answer) == 9)
    assert raw_score(entry, f"{entry.answer}x") > 1.0
    task = ReasoningTask("f", "train", ReasoningSpec("spell_backward", 3, short=False), entry)
    assert task.verify(f"final: {entry.answer}").passed
    assert not task.verify(f"final: {entry.answer}x").passed


@pytest.mark.parametrize("name", FACES)
def test_the_short_face_loses_nothing_of_real_questions(
    name: str, tokenizer: PreTrainedTokenizerBase
) -> None:
    face = FACES[name]
    shorts = []
    for level in (1, 2, 3):
        for index in range(70):
            entry = draw(name, level, 10**7, index)
            short = face.shorten(entry.question)
            assert face.expand(short) == entry.question
            assert face.expand_answer(face.shorten_answer(entry.answer)) == entry.answer
            shorts += [short, f"final: {face.shorten_answer(entry.answer)}"]
    assert unknown_words(shorts, tokenizer) == set()


def test_both_faces_ask_and_score_the_same_question() -> None:
    short, plain = tasks_of("spell_backward", 3, short=True), tasks_of("spell_backward", 3)
    assert {task.spec.short for task in short} == {True}
    for task in short:
        twin = ReasoningTask("f", "train", plain[0].spec, task.entry)
        assert twin.id == task.id
        assert twin.request == task.entry.question != task.request
        spaced = " ".join(task.entry.answer)
        assert task.verify(f"final: {spaced}").passed
        assert twin.verify(f"final: {task.entry.answer}").passed


def test_no_question_stands_in_two_splits_even_without_excluding() -> None:
    for name in ALLOWED:
        skill = reasoning_skill(ReasoningSpec(name, 1, short=False))
        drawn = {
            split: {task.id for task in WORLD.tasks(skill, split, 8, seed=1)}  # type: ignore[arg-type]
            for split in ("train", "dev", "test")
        }
        assert len(set.union(*drawn.values())) == 24


def test_a_level_without_further_questions_says_so() -> None:
    with pytest.raises(ValueError, match="then none in 2000; ask for fewer"):
        draw_tasks(ReasoningSpec("chain_sum", 1), family="f", split="dev", num_tasks=200, seed=0)


def test_guesses_are_of_the_right_form_and_rare_hits() -> None:
    rng = random.Random(0)
    hits = 0
    rows = [task for name in FACES for task in tasks_of(name, 40, short=True)]
    for task in rows:
        guess = WORLD.guess(task, rng)
        assert guess.startswith("final: ")
        hits += task.verify(guess).passed
    assert hits / len(rows) <= WORLD.spec.random_rate
