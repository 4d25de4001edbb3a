"""A teacher behind HTTP: what is asked, what is kept, and what is counted."""

import asyncio
import dataclasses

import pytest
from skillweave.adapters.card import Frame
from skillweave.adapters.errors import TeacherError
from skillweave.adapters.skills import Skill
from skillweave.distill.demonstrations import (
    Demonstration,
    Teacher,
    Yield,
    demonstrate,
    with_skill,
)
from skillweave.distill.policy import Sampling, ServedPolicy
from skillweave.distill.worlds.string_skills import SkillSpec, StringTask, draw_tasks

from .followers import NO_IDEA, follow_the_text, system_of, turns
from .scripted_teacher import Body, Raw, Reply, Script, ScriptedTeacher, out_of_requests

REFUSED = Raw(400, '{"error": {"message": "too long"}}')


@pytest.fixture
def tasks(spec: SkillSpec, skill: Skill) -> list[StringTask]:
    return draw_tasks(spec, family=skill.name, split="train", num_tasks=12, seed=0)


def taught(
    skill: Skill,
    tasks: list[StringTask],
    script: Script,
    *,
    frame: Frame | None = None,
    concurrency: int = 4,
) -> tuple[list[Demonstration], Yield, ScriptedTeacher, int]:
    answered = []

    async def go(url: str) -> tuple[list[Demonstration], Yield]:
        async with ServedPolicy(url) as policy:
            return await demonstrate(
                skill,
                tasks,
                teacher=Teacher(policy, "teacher@2"),
                frame=frame or Frame(),
                sampling=Sampling(),
                concurrency=concurrency,
                on_answer=lambda: answered.append(1),
            )

    with ScriptedTeacher(script) as teacher:
        kept, counted = asyncio.run(go(teacher.url))
    return kept, counted, teacher, len(answered)


def test_the_teacher_reads_the_whole_text_and_the_demonstration_does_not(
    skill: Skill, tasks: list[StringTask]
) -> None:
    kept, counted, teacher, answered = taught(skill, tasks, follow_the_text)
    assert all(system_of(body) == skill.body.strip() for body in teacher.requests)
    assert {body["model"] for body in teacher.requests} == {"teacher@2"}
    assert len(kept) == counted.kept == counted.asked == answered == 12
    assert [one.task_id for one in kept] == [task.id for task in tasks]
    for one, task in zip(kept, tasks, strict=True):
        assert task.verify(one.answer).passed
        assert one.conversation() == [
            {"role": "user", "content": task.request},
            {"role": "assistant", "content": one.answer},
        ]
        assert one.to_row() == {"task_id": task.id, "messages": one.conversation()}
    assert counted.prompt_tokens > 0
    assert counted.completion_tokens == sum(len(one.answer.split()) for one in kept)


def test_only_answers_that_verify_are_kept_and_every_loss_is_counted(
    skill: Skill, tasks: list[StringTask]
) -> None:
    wrong = {task.request for task in tasks[:3]}
    refused = {task.request for task in tasks[3:5]}

    def script(body: Body) -> Reply:
        request = turns(body)[-1]["content"]
        if request in refused:
            return REFUSED
        return NO_IDEA if request in wrong else follow_the_text(body)

    kept, counted, _, answered = taught(skill, tasks, script)
    assert (counted.asked, counted.wrong, counted.failed, counted.kept) == (12, 3, 2, 7)
    assert [one.task_id for one in kept] == [task.id for task in tasks[5:]]
    assert answered == 12


def test_a_teacher_that_is_busy_is_asked_again(skill: Skill, tasks: list[StringTask]) -> None:
    seen: set[str] = set()

    def script(body: Body) -> Reply:
        request = turns(body)[-1]["content"]
        if request not in seen:
            seen.add(request)
            return out_of_requests()
        return follow_the_text(body)

    _, counted, teacher, _ = taught(skill, tasks, script)
    assert counted.kept == 12
    assert len(teacher.requests) == 24


def test_no_more_requests_are_in_flight_than_asked_for(
    skill: Skill, tasks: list[StringTask]
) -> None:
    _, _, teacher, _ = taught(skill, tasks, follow_the_text, concurrency=2)
    assert teacher.most_at_once <= 2


def test_a_teacher_that_never_answers_is_an_error_with_its_reason(
    skill: Skill, tasks: list[StringTask]
) -> None:
    with pytest.raises(
        TeacherError, match=r"answered 0 of 12 requests for 'picnic-routine'.*too long"
    ):
        taught(skill, tasks, lambda body: REFUSED)


def test_the_frame_stays_before_the_text(skill: Skill, tasks: list[StringTask]) -> None:
    frame = Frame(system="be exact")
    _, _, teacher, _ = taught(skill, tasks, follow_the_text, frame=frame)
    expected = f"be exact\n\n{skill.body.strip()}"
    assert {system_of(body) for body in teacher.requests} == {expected}
    bodyless = dataclasses.replace(skill, body=" ")
    assert with_skill(bodyless, [], frame) == [{"role": "system", "content": "be exact"}]
