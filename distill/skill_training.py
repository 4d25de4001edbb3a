"""From a skill to an adapter: preflight, requests, demonstrations, training, store.

Owns the path that the `train` verb, the demo and recipes share. What is learned and how it is
judged is the recipes' business; serving is somebody else's.
"""

import itertools
import tempfile
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from ..adapters import Card, RecipeRecord, RefusedSkill, Version
from ..adapters.skills import Skill
from .demonstrations import Demonstration, Teacher, Yield, demonstrate
from .learning.sft import SftResult, SftSettings, train_lora
from .policy import Sampling
from .preflight import TextGain, measure_text, require_helpful
from .provenance import code_revision
from .rendering import token_row
from .tiny_base import is_tiny
from .trainable import checked
from .workbench import Workbench
from .worlds.types import Task

MIN_ROWS = 2
"""Fewest rows that training takes at all."""


class SkillTraining(BaseModel):
    """How a skill is taught and learned."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    num_requests: int = Field(default=192, ge=8)
    """Requests that the teacher answers for one skill."""
    preflight_requests: int = Field(default=40, ge=1)
    """How many of them are first asked without the text as well."""
    min_demonstrations: int = Field(default=16, ge=2)
    """Fewest verified demonstrations that are worth training on."""
    sampling: Sampling = Sampling()
    """How the teacher answers."""
    sft: SftSettings = SftSettings()
    """How the adapter is trained."""


@dataclass(frozen=True)
class Lesson:
    """What the teacher gave for one skill; `wall_s` seconds, preflight included.

    `teacher` is its label, None where the base taught itself; `asked_ids` are the tasks that the
    teacher was asked, whether or not it passed them: no other split may hold one.
    """

    skill: Skill
    demonstrations: tuple[Demonstration, ...]
    gain: TextGain
    yielded: Yield
    wall_s: float
    teacher: str | None = None
    asked_ids: frozenset[str] = frozenset()

    @property
    def trainable(self) -> bool:
        """Whether there is enough to train on; always so unless few demonstrations were taken."""
        return len(self.demonstrations) >= MIN_ROWS


@dataclass(frozen=True)
class Carried:
    """A skill that lives in weights: its version in the store and what training it cost."""

    skill: Skill
    version: Version
    lesson: Lesson
    sft: SftResult

    @property
    def model(self) -> str:
        """The model string of exactly these weights, whatever form evidence prefers."""
        return f"{self.version.ref}:adapter"

    def document(self) -> dict[str, object]:
        """The attestation of the training: its yield, its price and the losses it reached."""
        gain, yielded, sft = self.lesson.gain, self.lesson.yielded, self.sft
        return {
            "type": "training",
            "teacher": self.lesson.teacher or "base",
            "asked": yielded.asked,
            "wrong": yielded.wrong,
            "failed": yielded.failed,
            "kept": yielded.kept,
            "teacher_tokens": yielded.prompt_tokens + yielded.completion_tokens,
            "text_gain": {"with": gain.with_text, "without": gain.without_text, "n": gain.n},
            "dev_loss": sft.dev_loss,
            "best_epoch": sft.best_epoch,
            "train_s": round(sft.train_s, 3),
        }


async def teach(
    skill: Skill,
    config: SkillTraining,
    bench: Workbench,
    *,
    teacher: Teacher,
    seed: int,
    force: bool = False,
    take_few: bool = False,
    exclude: Collection[str] = (),
) -> Lesson:
    """Preflight, requests, demonstrations and their verification.

    Args:
        force: teach also a text that does not help this base.
        take_few: give the lesson however few demonstrations verify; ask it whether it is
            `trainable`. For experiments in which every skill takes part.
        exclude: ids of tasks that other splits have; they are not asked.

    Raises:
        RefusedSkill: the text does not help this base, or too few demonstrations verify.
    """
    started = time.perf_counter()
    tasks: Sequence[Task] = checked(skill, bench.base).tasks(
        "train", config.num_requests, seed=seed, exclude=exclude
    )
    gain = await measure_text(
        skill,
        tasks[: config.preflight_requests],
        teacher=teacher,
        frame=bench.frame,
        sampling=config.sampling,
    )
    if not force:
        require_helpful(skill, gain)
    done = itertools.count(1)
    kept, yielded = await demonstrate(
        skill,
        tasks,
        teacher=teacher,
        frame=bench.frame,
        sampling=config.sampling,
        on_answer=lambda: bench.report(f"demonstrations for {skill.name}", next(done), len(tasks)),
    )
    if len(kept) < config.min_demonstrations and not take_few:
        raise RefusedSkill(
            f"skill {skill.name!r}: {len(kept)} of {yielded.asked} demonstrations verified, "
            f"expected at least {config.min_demonstrations}; try a clearer text or another teacher"
        )
    wall_s = time.perf_counter() - started
    asked = frozenset(task.id for task in tasks)
    return Lesson(skill, tuple(kept), gain, yielded, wall_s, teacher.label, asked)


def train(
    lesson: Lesson, config: SkillTraining, bench: Workbench, *, recipe: str, seed: int
) -> Carried:
    """Train the adapter on the demonstrations without the text; keep it with its evidence."""
    skill = lesson.skill
    card = Card(
        kind="skill",
        base=bench.identity.for_card(name=bench.base_name),
        skill_name=skill.name,
        description=skill.description,
        licence=skill.license,
    )
    version, result = _train_and_keep(
        lesson.demonstrations, config, bench, card=card, name=skill.name, recipe=recipe,
        seed=seed, skill_dir=skill.path, teacher=lesson.teacher,
    )  # fmt: skip
    carried = Carried(skill, version, lesson, result)
    bench.store.attest(version.version_digest, carried.document())
    return carried


def train_shared(
    lessons: Sequence[Lesson],
    config: SkillTraining,
    bench: Workbench,
    *,
    name: str,
    recipe: str,
    seed: int,
) -> tuple[Version, SftResult]:
    """One adapter on the pooled demonstrations; the caller sets a rank in `config`."""
    licences = {lesson.skill.license for lesson in lessons}
    return train_rows(
        [demonstration for lesson in lessons for demonstration in lesson.demonstrations],
        config, bench, name=name, recipe=recipe, seed=seed,
        description="One adapter for " + ", ".join(lesson.skill.name for lesson in lessons),
        licence=licences.pop() if len(licences) == 1 else None,
    )  # fmt: skip


def train_rows(
    rows: Sequence[Demonstration],
    config: SkillTraining,
    bench: Workbench,
    *,
    name: str,
    recipe: str,
    seed: int,
    description: str,
    licence: str | None,
) -> tuple[Version, SftResult]:
    """One adapter on rows that the caller chose, of one skill or of many."""
    card = Card(
        kind="shared",
        base=bench.identity.for_card(name=bench.base_name),
        description=description,
        licence=licence,
    )
    return _train_and_keep(rows, config, bench, card=card, name=name, recipe=recipe, seed=seed)


def _train_and_keep(
    demonstrations: Sequence[Demonstration],
    config: SkillTraining,
    bench: Workbench,
    *,
    card: Card,
    name: str,
    recipe: str,
    seed: int,
    skill_dir: Path | None = None,
    teacher: str | None = None,
) -> tuple[Version, SftResult]:
    sft = config.sft.on(tiny=is_tiny(bench.base))
    settings = config.model_copy(update={"sft": sft}).model_dump(mode="json")
    if teacher is not None:
        settings["teacher"] = teacher
    data_digest = bench.store.put_rows(d.to_row() for d in demonstrations)
    rows = [token_row(bench.tokenizer, d.conversation(), bench.frame) for d in demonstrations]
    with tempfile.TemporaryDirectory(prefix="skillweave-train-") as folder:
        result = train_lora(
            bench.model,
            rows,
            settings=sft,
            seed=seed,
            out=Path(folder),
            base_name=bench.base_name,
            pad=bench.pad,
            on_step=lambda step, of, _: bench.report(f"training {name}", step, of),
        )
        bench.report(f"training {name}", result.num_steps, result.num_steps)
        full = card.model_copy(
            update={
                "frame": bench.frame,
                "recipe": RecipeRecord(name=recipe, config=settings),
                "data_digest": data_digest,
                "seed": seed,
                "code_revision": code_revision(),
            }
        )
        version = bench.store.put(
            Path(folder), card=full, name=name, skill_dir=skill_dir, base=bench.identity
        )
    return version, result
