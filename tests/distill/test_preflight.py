"""Does the text help? Measured through HTTP, with and without it."""

import asyncio

import pytest
from skillweave.adapters.card import Frame
from skillweave.adapters.errors import RefusedSkill
from skillweave.adapters.skills import Skill
from skillweave.distill.demonstrations import Teacher
from skillweave.distill.policy import Sampling, ServedPolicy
from skillweave.distill.preflight import MIN_GAIN, TextGain, measure_text, require_helpful
from skillweave.distill.worlds.string_skills import SkillSpec, draw_tasks

from .followers import NO_IDEA, follow_the_text, system_of
from .scripted_teacher import Script, ScriptedTeacher


def measured(
    skill: Skill, spec: SkillSpec, script: Script, *, frame: Frame | None = None
) -> tuple[TextGain, ScriptedTeacher]:
    tasks = draw_tasks(spec, family=skill.name, split="train", num_tasks=10, seed=0)

    async def go(url: str) -> TextGain:
        async with ServedPolicy(url) as policy:
            return await measure_text(
                skill, tasks, teacher=Teacher(policy), frame=frame or Frame(), sampling=Sampling()
            )

    with ScriptedTeacher(script) as teacher:
        return asyncio.run(go(teacher.url)), teacher


def test_every_request_is_asked_with_and_without_the_text(skill: Skill, spec: SkillSpec) -> None:
    gain, teacher = measured(skill, spec, follow_the_text)
    assert gain == TextGain(with_text=1.0, without_text=0.0, n=10)
    assert (gain.gain, gain.helps) == (1.0, True)
    told = [system_of(body) for body in teacher.requests]
    assert sorted(told) == [""] * 10 + [skill.body.strip()] * 10
    require_helpful(skill, gain)


def test_the_frame_is_there_in_both(skill: Skill, spec: SkillSpec) -> None:
    _, teacher = measured(skill, spec, follow_the_text, frame=Frame(system="be exact"))
    told = [system_of(body) for body in teacher.requests]
    assert sorted(told) == ["be exact"] * 10 + [f"be exact\n\n{skill.body.strip()}"] * 10


def test_a_text_that_does_not_help_is_refused_with_both_numbers(
    skill: Skill, spec: SkillSpec
) -> None:
    gain, _ = measured(skill, spec, lambda body: NO_IDEA)
    with pytest.raises(RefusedSkill, match=r"0% of 10 requests pass with the text, 0% without it"):
        require_helpful(skill, gain)


def test_a_base_that_can_do_it_anyhow_needs_no_adapter(skill: Skill) -> None:
    with pytest.raises(RefusedSkill, match=r"expected a gain of at least 20%.*--base.*--force"):
        require_helpful(skill, TextGain(with_text=0.95, without_text=0.90, n=40))
    assert TextGain(MIN_GAIN, 0.0, 40).helps
    assert not TextGain(MIN_GAIN - 0.01, 0.0, 40).helps
