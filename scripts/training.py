"""The work behind `skillweave train`: a teacher, then one skill after the other."""

import asyncio
import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path

from ..adapters import SkillweaveError, Store
from ..adapters.skills import Skill
from ..distill.demonstrations import Teacher
from ..distill.policy import ServedPolicy
from ..distill.recipes.s2l import S2L
from ..distill.serving import ServePlan
from ..distill.skill_training import Carried, Lesson, teach, train
from ..distill.workbench import Workbench
from .launching import launcher
from .progress import progress_bars

Row = dict[str, object]


@dataclass(frozen=True)
class Endpoint:
    """Where the teacher answers: address, model name and key."""

    url: str
    model: str = "base"
    key: str = "none"


def train_all(
    skills: list[Skill],
    *,
    base: Path,
    store: Store,
    teacher: Endpoint | None,
    seed: int,
    force: bool,
) -> list[Row]:
    """One row a skill; without a teacher the base itself is served and teaches."""
    with contextlib.ExitStack() as stack:
        if teacher is None:
            plan = ServePlan(base, store.root, rank=S2L().sft.rank, slots=len(skills))
            served = stack.enter_context(launcher(say=_say)(plan))
            teacher = Endpoint(served.url)
        bench = Workbench(base, store, report=stack.enter_context(progress_bars()))
        return [_train_one(skill, bench, teacher, seed=seed, force=force) for skill in skills]


def _train_one(skill: Skill, bench: Workbench, teacher: Endpoint, *, seed: int, force: bool) -> Row:
    config = S2L()
    try:
        lesson = asyncio.run(_teach(skill, config, bench, teacher, seed=seed, force=force))
        return _row(train(lesson, config, bench, recipe=config.type, seed=seed))
    except SkillweaveError as err:
        return {"skill": skill.name, "status": "failed", "reason": str(err)}


async def _teach(
    skill: Skill, config: S2L, bench: Workbench, at: Endpoint, *, seed: int, force: bool
) -> Lesson:
    async with ServedPolicy(at.url, api_key=at.key) as policy:
        teacher = Teacher(policy, at.model)
        return await teach(skill, config, bench, teacher=teacher, seed=seed, force=force)


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _row(one: Carried) -> Row:
    return {
        "skill": one.skill.name,
        "status": "trained",
        "ref": one.version.ref,
        "version_digest": one.version.version_digest,
        "demonstrations": one.lesson.yielded.asked,
        "kept": one.lesson.yielded.kept,
        "text_helps": f"{one.lesson.gain.without_text:.0%} -> {one.lesson.gain.with_text:.0%}",
        "train_s": round(one.sft.train_s, 1),
        "dev_loss": one.sft.dev_loss,
    }
