"""S2L: a skill text becomes a LoRA adapter (Skill-to-LoRA, arXiv:2606.16769).

The teacher `pi_T` reads the whole text `t_s` of skill `s` and answers requests `x`; the answers
that the verifier passes are the demonstrations. The adapter learns them with the text removed:

    L = - sum over the assistant's tokens  log pi_(base + adapter)(y_t | x, y_<t),   y ~ pi_T(.|t_s, x)

Departs: only verified demonstrations are kept (the paper reports no filter) and the yield is
recorded; all linear modules get an update, not q and v alone, because the base is small; rank,
rate and epochs are ours (the paper gives r=16, alpha=32, 64 rows; rate and epochs were not found).
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ...adapters import RefusedSkill, Version
from ...adapters.skills import Skill
from ..demonstrations import Demonstration, Yield, demonstrate
from ..evaluation import Above, Criterion, diff
from ..policy import Sampling
from ..preflight import TextGain, measure_text, require_helpful, require_trainable
from ..rendering import token_row
from ..sft import SftResult, SftSettings, train_lora
from ..token_meter import tiny_meter
from ..workbench import Workbench
from ..worlds.checkers import Checker
from ..worlds.types import Task

SOURCE = "Skill-to-LoRA, arXiv:2606.16769"

CRITERION = Criterion(
    statement="The adapter replaces the text of its skill, and it is this adapter that does it.",
    preconditions=(Above(what=diff("text", "none"), bar=0.30),),
    clauses=(
        Above(what=diff("s2l", "text"), bar=-0.03, on="lower"),
        Above(what=diff("s2l", "none"), bar=0.30),
        Above(what=diff("s2l", "wrong"), bar=0.30),
    ),
)


class S2L(BaseModel):
    """Settings of the recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    type: Literal["s2l"] = "s2l"
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
    """What the teacher gave for one skill."""

    skill: Skill
    demonstrations: tuple[Demonstration, ...]
    gain: TextGain
    yielded: Yield


@dataclass(frozen=True)
class Carried:
    """A skill that lives in weights: its version in the store and what training it cost."""

    skill: Skill
    version: Version
    lesson: Lesson
    sft: SftResult


def checked(skill: Skill, bench: Workbench) -> Checker:
    """The first gate, before any engine starts; see `require_trainable`."""
    return require_trainable(skill, meter=tiny_meter() if bench.is_tiny else None)


async def teach(
    skill: Skill, config: S2L, bench: Workbench, *, seed: int, force: bool = False
) -> Lesson:
    """Preflight, requests, demonstrations and their verification.

    Raises:
        RefusedSkill: the text does not help this base, or too few demonstrations verify.
    """
    tasks: Sequence[Task] = checked(skill, bench).tasks("train", config.num_requests, seed=seed)
    ask = {"model": bench.teacher_model, "frame": bench.frame, "sampling": config.sampling}
    probe = tasks[: config.preflight_requests]
    gain = await measure_text(skill, probe, policy=bench.teacher, **ask)  # type: ignore[arg-type]
    if not force:
        require_helpful(skill, gain)
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        bench.report(f"demonstrations for {skill.name}", done, len(tasks))

    kept, yielded = await demonstrate(
        skill,
        tasks,
        teacher=bench.teacher,
        on_answer=count,
        **ask,  # type: ignore[arg-type]
    )
    if len(kept) < config.min_demonstrations:
        raise RefusedSkill(
            f"skill {skill.name!r}: {len(kept)} of {yielded.asked} demonstrations verified, "
            f"expected at least {config.min_demonstrations}; try a clearer text or another teacher"
        )
    return Lesson(skill, tuple(kept), gain, yielded)


def train(lesson: Lesson, config: S2L, bench: Workbench, *, seed: int) -> Carried:
    """Train the adapter on the demonstrations without the text, and keep it in the store."""
    skill = lesson.skill
    data_digest = bench.store.put_rows(d.to_row() for d in lesson.demonstrations)
    rows = [
        token_row(bench.tokenizer, d.conversation(), bench.frame) for d in lesson.demonstrations
    ]
    with tempfile.TemporaryDirectory(prefix="skillweave-s2l-") as folder:
        result = train_lora(
            bench.model,
            rows,
            settings=config.sft,
            seed=seed,
            out=Path(folder),
            base_name=bench.base_name,
            pad=bench.pad,
            on_step=lambda step, of, _: bench.report(f"training {skill.name}", step, of),
        )
        version = bench.keep(
            Path(folder),
            skill,
            recipe=config.type,
            config=config.model_dump(mode="json"),
            data_digest=data_digest,
            seed=seed,
        )
    return Carried(skill, version, lesson, result)
