"""Tasks and skills of the external world: reasoning-gym's questions behind `Task`.

Owns the safe verdict: only the text behind `final:` is handed to an allowed scorer, and only a
score of exactly 1.0 passes (sums of parts may exceed it by rounding); the raw score is in the
reason. Digits of other scripts and Python's underscores are no answer, whatever a scorer reads. A
question belongs to one split for ever, by its hash.
"""

import functools
import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self

from ....adapters.skills import Skill
from ..metadata import CHECKER_KEY, WORLD_KEY
from ..string_skills.answers import FINAL, final_text
from ..types import Message, OneTurn, Split, Verdict
from .faces import FACES, Face
from .gym import ALLOWED, MAX_ANSWER, SOURCE, SPACING, Entry, draw, raw_score

NAME = "reasoning"
LEVELS = (1, 2, 3)
MAX_TRIES = 2000
"""Items in a row that may be of another split or used already."""

_SHARES: Mapping[Split, tuple[int, int]] = {
    "pretrain": (0, 5), "train": (5, 65), "dev": (65, 80), "test": (80, 100),
}  # fmt: skip
_SPLITS = tuple(_SHARES)
_SLOTS = 500
"""Seeds of one split; with `SPACING` they stay below 2**32 for four splits."""


@dataclass(frozen=True)
class ReasoningSpec:
    """One allowed task at a level. `draw` tells skills apart; `short` chooses the face."""

    task: str
    level: int
    draw: int = 0
    short: bool = True

    def __post_init__(self) -> None:
        if self.task not in ALLOWED:
            raise ValueError(
                f"task {self.task!r} is not allowed, expected one of {', '.join(ALLOWED)}"
            )
        if self.level not in LEVELS:
            raise ValueError(f"level {self.level!r} does not exist in {NAME}, expected 1 to 3")
        if self.short and self.task not in FACES:
            raise ValueError(
                f"task {self.task!r} has no short face, expected one of {', '.join(FACES)}"
            )

    @property
    def face(self) -> Face | None:
        return FACES[self.task] if self.short else None

    def to_json(self) -> str:
        """One line that `from_json` reads back; kept in a skill's metadata as its checker."""
        return json.dumps(vars(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a checker back.

        Raises:
            ValueError: not JSON of that shape, or a task or level that is not allowed.
        """
        data = json.loads(text)
        kinds = {"task": str, "level": int, "draw": int, "short": bool}
        if not isinstance(data, dict) or {k: type(v) for k, v in data.items()} != kinds:
            raise ValueError(f"checker {text[:200]!r} is not a reasoning skill")
        return cls(**data)


@dataclass(frozen=True)
class ReasoningTask:
    """One question of the package, in its own words or in the short face."""

    family: str
    split: Split
    spec: ReasoningSpec
    entry: Entry

    @property
    def id(self) -> str:
        text = f"{self.entry.name}\n{self.entry.question}\n{self.entry.answer}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def request(self) -> str:
        face = self.spec.face
        return self.entry.question if face is None else face.shorten(self.entry.question)

    @property
    def messages(self) -> tuple[Message, ...]:
        return ({"role": "user", "content": self.request},)

    @property
    def meta(self) -> Mapping[str, str]:
        return {"world": NAME, "task": self.entry.name, "source": SOURCE}

    def verify(self, text: str) -> Verdict:
        seen = final_text(text)
        if isinstance(seen, Verdict):
            return seen
        answer = self.spec.face.expand_answer(seen) if self.spec.face else seen
        if len(answer) > MAX_ANSWER:
            return Verdict(
                False, 0.0, f"{len(answer)} characters after {FINAL!r}, expected {MAX_ANSWER}"
            )
        strange = sorted({c for c in answer if not c.isascii() or c == "_"} - {*self.entry.answer})
        if strange:  # `int` reads digits of any script, and `1_0` as ten; a person does not
            return Verdict(False, 0.0, f"the answer is written with {strange[0]!a}")
        score = raw_score(self.entry, answer)
        return Verdict(score == 1.0, float(score == 1.0), f"{self.entry.name} scores {score:.3f}")

    def environment(self) -> OneTurn:
        face = self.spec.face
        answer = face.shorten_answer(self.entry.answer) if face else self.entry.answer
        return OneTurn(self, worked=f"{FINAL} {answer}")


def split_of(name: str, question: str) -> Split:
    """The split to which a question belongs, whatever seed drew it."""
    place = int.from_bytes(hashlib.sha256(f"{name}\n{question}".encode()).digest()[:8]) % 100
    return next(split for split, (low, high) in _SHARES.items() if low <= place < high)


@functools.cache
def _seed(split: Split, key: str) -> int:
    """A dataset's seed: those of two splits, or of two slots, never reach the same item."""
    slot = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % _SLOTS
    return (_SPLITS.index(split) * _SLOTS + slot) * SPACING


def draw_tasks(
    spec: ReasoningSpec,
    *,
    family: str,
    split: Split,
    num_tasks: int,
    seed: int,
    exclude: Collection[str] = (),
) -> list[ReasoningTask]:
    """Draw distinct tasks of one split.

    Raises:
        ValueError: the task has no further question that is unused.
        SkillError: reasoning-gym is not installed.
    """
    start = _seed(split, f"{seed}:{family}:{spec.to_json()}")
    used = set(exclude)
    out: list[ReasoningTask] = []
    last = index = 0
    while len(out) < num_tasks:
        entry = draw(spec.task, spec.level, start, index)
        index += 1
        task = ReasoningTask(family, split, spec, entry)
        if task.id not in used and split_of(spec.task, entry.question) == split:
            used.add(task.id)
            out.append(task)
            last = index
        elif index - last == MAX_TRIES:
            raise ValueError(
                f"{spec.to_json()} gave {len(out)} of {num_tasks} {split} questions, then none in "
                f"{MAX_TRIES}; ask for fewer"
            )
    return out


def reasoning_skill(spec: ReasoningSpec) -> Skill:
    """A skill that says in which manner the questions of one task are worked."""
    said = FACES[spec.task].manner if spec.task in FACES else "Work step by step."
    title = spec.task.replace("_", "-")
    return Skill(
        name=f"{title}-manner",
        description=f"How questions of the kind {title} are worked. Use when one is asked.",
        body=f"{said}\n\nThe last line is final: and then the answer.",
        license="Apache-2.0",
        metadata={WORLD_KEY: NAME, CHECKER_KEY: spec.to_json()},
    )
