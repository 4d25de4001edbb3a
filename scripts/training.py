"""The work behind `skillweave train`: a teacher, then one skill after the other."""

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from ..adapters import SkillweaveError, Store
from ..adapters.skills import Skill
from ..distill.policy import ServedPolicy
from ..distill.recipes.s2l import S2L
from ..distill.serving import ServePlan
from ..distill.skill_training import Carried, teach, train
from ..distill.workbench import Workbench
from .launching import launcher
from .progress import progress_bars

Row = dict[str, object]


@contextlib.asynccontextmanager
async def _teacher(
    base: Path, store: Store, teacher: tuple[str | None, str, str], slots: int
) -> AsyncIterator[tuple[ServedPolicy, str]]:
    url, model, key = teacher
    if url is not None:
        async with ServedPolicy(url, api_key=key) as policy:
            yield policy, model
        return
    plan = ServePlan(base, store.root, rank=S2L().sft.rank, slots=slots)
    with launcher(say=lambda line: print(line, file=sys.stderr))(plan) as served:
        async with ServedPolicy(served.url) as policy:
            yield policy, "base"


async def train_all(
    skills: list[Skill],
    *,
    base: Path,
    store: Store,
    teacher: tuple[str | None, str, str],
    seed: int,
    force: bool,
) -> list[Row]:
    rows: list[Row] = []
    async with _teacher(base, store, teacher, len(skills)) as (policy, model):
        with progress_bars() as report:
            bench = Workbench(base, store, policy, teacher_model=model, report=report)
            for skill in skills:
                rows.append(await _train_one(skill, bench, seed=seed, force=force))
    return rows


async def _train_one(skill: Skill, bench: Workbench, *, seed: int, force: bool) -> Row:
    config = S2L()
    try:
        lesson = await teach(skill, config, bench, seed=seed, force=force)
        return _row(train(lesson, config, bench, recipe=config.type, seed=seed))
    except SkillweaveError as err:
        return {"skill": skill.name, "status": "failed", "reason": str(err)}


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
