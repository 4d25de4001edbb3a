"""What a student misses: samples, hard requests, one word a failed answer."""

import asyncio
from collections.abc import Sequence

import pytest
from skillweave.distill.evaluation import Answer
from skillweave.distill.policy import Sampling
from skillweave.distill.recipes.diagnosing import Diagnosis, diagnose, sample_answers
from skillweave.distill.recipes.planting import functions_skills, labels
from skillweave.distill.teachers import Rates
from skillweave.distill.teachers.functions_world import functions_teacher
from skillweave.distill.worlds.fg import WORLD, asking, spec_of
from skillweave.distill.worlds.types import Message

SKILL = functions_skills(2, 3, seed=3)[0]
NAMES = tuple(name for name, _ in spec_of(SKILL).functions)
TASKS = WORLD.tasks(asking(SKILL, 1), "dev", 12, seed=0)
FIRST = [task for task in TASKS if labels(task) == [NAMES[0]]]


class Student:
    """Never does the first function, and the second in the samples of even seeds alone."""

    async def complete(
        self, messages: Sequence[Message], *, model: str, sampling: Sampling
    ) -> Answer:
        assert model == "student"
        assert sampling.seed is not None
        (task,) = (task for task in TASKS if task.messages == tuple(messages))
        name = task.chain[0]
        wrong = name == NAMES[0] or (name == NAMES[1] and sampling.seed % 2 == 1)
        return Answer("final: z" if wrong else task.worked, 1, 1)


async def found(samples: int, *, hard: float = 0.5, malformed: float = 0.0) -> Diagnosis:
    rates = {"attribute": Rates(malformed=malformed)}
    return await diagnose(
        Student(), functions_teacher(rates=rates), TASKS, model="student",
        num_samples=samples, sampling=Sampling(temperature=1.0), hard=hard,
    )  # fmt: skip


def test_the_functions_that_fail_are_named_once_a_failed_answer() -> None:
    seen = asyncio.run(found(4))
    second = [task for task in TASKS if labels(task) == [NAMES[1]]]
    assert FIRST
    assert second
    assert set(seen.hard) == {task.id for task in [*FIRST, *second]}
    assert seen.missing.count(NAMES[0]) == 4 * len(FIRST)
    assert seen.missing.count(NAMES[1]) == 2 * len(second)
    assert set(seen.missing) == {NAMES[0], NAMES[1]}
    assert seen.passes[second[0].id] == (True, False, True, False)


def test_failures_of_requests_that_are_not_hard_do_not_count() -> None:
    seen = asyncio.run(found(4, hard=0.25))
    assert set(seen.missing) == {NAMES[0]}


def test_a_teacher_without_a_word_gives_no_signal() -> None:
    seen = asyncio.run(found(2, malformed=1.0))
    assert seen.hard
    assert seen.missing == ()


def test_samples_come_in_order_of_their_seeds() -> None:
    answers = asyncio.run(
        sample_answers(Student(), TASKS, model="student", num_samples=3, sampling=Sampling())
    )
    assert list(answers) == [task.id for task in TASKS]
    assert all(len(texts) == 3 for texts in answers.values())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_function_stands_in_two_skills(seed: int) -> None:
    skills = functions_skills(4, 3, seed=seed)
    names = [name for skill in skills for name, _ in spec_of(skill).functions]
    assert len(names) == len(set(names)) == 12
    assert [skill.body for skill in skills] == [
        skill.body for skill in functions_skills(4, 3, seed=seed)
    ]
