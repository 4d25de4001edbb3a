"""What a student cannot do: its answers sampled and verified, the failed ones laid to a skill.

Owns the order: samples, verdicts, hard requests, a teacher's word on each failed answer. Refuses to
own the counts that come of it (`curricula.SkillProfile`) and who the teacher is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..curricula import HARD, hard_requests
from ..policy import Policy, Sampling, bounded_map
from ..teachers import TRUTH, Cause, MalformedAnswer, Teacher
from ..worlds.types import Task
from .course import expert_rows

CONCURRENCY = 64


@dataclass(frozen=True)
class Diagnosis:
    """What was seen of a student.

    `passes`: task id -> whether each sample passed. `hard`: ids of the hard requests. `missing`:
    one name a failed answer to a hard request, as the teacher said it; none where it had no word.
    """

    passes: dict[str, tuple[bool, ...]]
    hard: tuple[str, ...]
    missing: tuple[str, ...]


async def sample_answers(
    policy: Policy, tasks: Sequence[Task], *, model: str, num_samples: int, sampling: Sampling
) -> dict[str, tuple[str, ...]]:
    """Task id -> that many answers, sample `i` drawn with the seed `i`.

    Raises:
        TeacherError: a request was not answered.
    """
    asked = [(task, i) for task in tasks for i in range(num_samples)]

    async def ask(one: tuple[Task, int]) -> str:
        task, number = one
        drawn = replace(sampling, seed=number)
        return (await policy.complete(task.messages, model=model, sampling=drawn)).text

    texts = await bounded_map(ask, asked, concurrency=CONCURRENCY)
    return {
        task.id: tuple(texts[at : at + num_samples])
        for task, at in zip(tasks, range(0, len(texts), num_samples), strict=True)
    }


def verified(
    tasks: Sequence[Task], answers: Mapping[str, Sequence[str]]
) -> dict[str, tuple[bool, ...]]:
    """Task id -> whether each answer passed."""
    return {task.id: tuple(task.verify(text).passed for text in answers[task.id]) for task in tasks}


async def diagnose(
    policy: Policy,
    teacher: Teacher,
    tasks: Sequence[Task],
    *,
    model: str,
    num_samples: int,
    sampling: Sampling,
    hard: float = HARD,
) -> Diagnosis:
    """Sample the student, and ask the teacher why each failed answer to a hard request failed.

    The teacher is told the reference answer: `attribute` is a privileged role.

    Args:
        tasks: of a split that nothing is judged on.
        hard: a request of which at most this share of the samples passes is hard.
    """
    answers = await sample_answers(
        policy, tasks, model=model, num_samples=num_samples, sampling=sampling
    )
    by_id = {task.id: task for task in tasks}
    passes = verified(tasks, answers)
    found = hard_requests(passes, most=hard)
    truths = {row.task_id: row.answer for row in expert_rows([by_id[key] for key in found])}
    failed = [
        (key, text)
        for key in found
        for text, passed in zip(answers[key], passes[key], strict=True)
        if not passed
    ]

    async def name(one: tuple[str, str]) -> str:
        key, text = one
        told = {"request": by_id[key].messages[-1]["content"], "answer": text, TRUTH: truths[key]}
        try:
            return (await teacher.ask("attribute", told, schema=Cause)).failure_mode
        except MalformedAnswer:
            return ""

    names = await bounded_map(name, failed, concurrency=CONCURRENCY)
    return Diagnosis(passes, found, tuple(filter(None, names)))
