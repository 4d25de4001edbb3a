"""The work behind `skillweave train`: a teacher, then one skill after the other.

Owns the row that each skill ends in. The base that teaches also answers dev requests, with nothing,
with the text and with the new adapter; what they say is attested, so that the gateway serves the
form that was shown to work.
"""

import asyncio
import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ..adapters import SkillweaveError, Store
from ..adapters.skills import Skill
from ..distill.demonstrations import Teacher
from ..distill.evidence import Proof, attest, prove
from ..distill.policy import ServedPolicy
from ..distill.recipes.s2l import S2L
from ..distill.serving import Launch, Served, ServePlan, admin
from ..distill.skill_arms import AskServed
from ..distill.skill_training import Carried, Lesson, teach, train
from ..distill.trainable import checked
from ..distill.workbench import Workbench
from .launching import launcher
from .progress import progress_bars

Row = dict[str, object]
NUM_DEV = 40
"""Dev requests that decide in which form a new version is served."""


@dataclass(frozen=True)
class Endpoint:
    """Where the teacher answers: address, model name and key."""

    url: str
    model: str = "base"
    key: str = "none"

    @property
    def label(self) -> str:
        """What cards call it; a password or a query of the address stays out."""
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return f"{self.model} at {parts.scheme}://{host}{parts.path}"


@dataclass(frozen=True)
class Lessons:
    """What every skill of one call is trained with; `served` is None with an external teacher."""

    bench: Workbench
    teacher: Endpoint | None
    served: Served | None
    seed: int
    force: bool
    config: S2L


def train_all(
    skills: list[Skill],
    *,
    base: Path,
    store: Store,
    teacher: Endpoint | None,
    seed: int,
    force: bool,
    launch: Launch | None = None,
    config: S2L | None = None,
) -> list[Row]:
    """One row a skill; without a teacher the base itself is served and teaches."""
    config = config or S2L()
    with contextlib.ExitStack() as stack:
        served: Served | None = None
        if teacher is None:
            plan = ServePlan(base, store.root, rank=config.sft.rank, slots=len(skills))
            served = stack.enter_context((launch or launcher(say=_say))(plan))
        bench = Workbench(base, store, report=stack.enter_context(progress_bars()))
        given = Lessons(bench, teacher, served, seed, force, config)
        return [_train_one(skill, given) for skill in skills]


def _train_one(skill: Skill, given: Lessons) -> Row:
    row: Row = {"skill": skill.name}
    try:
        lesson = asyncio.run(_teach(skill, given))
        one = train(lesson, given.config, given.bench, recipe=given.config.type, seed=given.seed)
        row |= _trained(one)
        if given.served is None:
            return row | {"dev": "not measured: with an external teacher no base is served"}
        return row | _measured(asyncio.run(_prove(one, given, given.served)))
    except SkillweaveError as err:
        kept = f"{row['ref']} is stored, but not measured: " if "ref" in row else ""
        return row | {"status": "failed", "reason": f"{kept}{err}"}


async def _teach(skill: Skill, given: Lessons) -> Lesson:
    at = given.teacher or Endpoint(given.served.url if given.served else "")
    label = given.teacher.label if given.teacher else None
    async with ServedPolicy(at.url, api_key=at.key) as policy:
        return await teach(
            skill,
            given.config,
            given.bench,
            teacher=Teacher(policy, at.model, label),
            seed=given.seed,
            force=given.force,
        )


async def _prove(one: Carried, given: Lessons, served: Served) -> Proof:
    """Serve the version and ask dev requests that no teacher was asked; attest what they say."""
    bench, seed = given.bench, given.seed
    admin(served, "publish", {"ref": one.version.ref})
    bench.report(f"evidence for {one.skill.name}", 0, NUM_DEV)
    items = checked(one.skill, bench.base).tasks(
        "dev", NUM_DEV, seed=seed, exclude=one.lesson.asked_ids
    )
    async with ServedPolicy(served.url) as policy:
        ask = AskServed(policy, given.config.sampling)
        proof = await prove(one, items, ask=ask, base=one.version.base, seed=seed)
    attest(bench.store, one.version, proof)
    bench.report(f"evidence for {one.skill.name}", NUM_DEV, NUM_DEV)
    return proof


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _trained(one: Carried) -> Row:
    return {
        "status": "trained",
        "ref": one.version.ref,
        "version_digest": one.version.version_digest,
        "demonstrations": one.lesson.yielded.asked,
        "kept": one.lesson.yielded.kept,
        "text_helps": f"{one.lesson.gain.without_text:.0%} -> {one.lesson.gain.with_text:.0%}",
        "train_s": round(one.sft.train_s, 1),
        "dev_loss": one.sft.dev_loss,
    }


def _measured(proof: Proof) -> Row:
    seen = " ".join(f"{arm} {mean:.0%}" for arm, mean in proof.means.items())
    return {"form": proof.form, "why": proof.reason, "dev": f"{seen} of {proof.n}"}
