"""Tasks and skills of the constraint world.

Owns how a `ConstraintSpec` becomes checkable requests of a split and a skill. An answer is right
when the predicates say so: many are. The verifier is rebuilt from the skill's metadata.
"""

import hashlib
import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ....adapters.skills import Skill
from ..metadata import CHECKER_KEY, WORLD_KEY
from ..string_skills.primitives import Symbols
from ..string_skills.requests import Wording
from ..types import Message, OneTurn, Split, Verdict
from .answers import score, worked_answer
from .draw import MAX_TRIES, solved_letters
from .spec import ConstraintSpec
from .texts import request_text, skill_body, skill_description

NAME = "constraints"


@dataclass(frozen=True)
class ConstraintTask:
    """One request of a constraint skill: letters to choose from, and what must hold."""

    family: str
    split: Split
    request: str
    spec: ConstraintSpec
    letters: Symbols
    wording: Wording
    worked: str
    """The expert's answer, one of many right ones."""

    @property
    def id(self) -> str:
        text = f"{self.family}\n{self.request}\n{self.spec.to_json()}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def messages(self) -> tuple[Message, ...]:
        return ({"role": "user", "content": self.request},)

    @property
    def meta(self) -> Mapping[str, str]:
        return {"world": NAME, "wording": self.wording, "checker": self.spec.to_json()}

    def verify(self, text: str) -> Verdict:
        return score(text, self.spec, self.letters)

    def environment(self) -> OneTurn:
        return OneTurn(self, worked=self.worked)


def draw_tasks(
    spec: ConstraintSpec,
    *,
    family: str,
    split: Split,
    num_tasks: int,
    seed: int,
    exclude: Collection[str] = (),
) -> list[ConstraintTask]:
    """Draw distinct tasks of one split; test tasks alternate between seen and unseen wordings.

    Raises:
        ValueError: no letters have an answer, or no further request is unused.
    """
    rng = random.Random(f"{NAME}:{seed}:{split}:{family}")
    used = set(exclude)
    out: list[ConstraintTask] = []
    repeats = 0
    while len(out) < num_tasks:
        wording: Wording = "unseen" if split == "test" and len(out) % 2 else "seen"
        letters, answer = solved_letters(spec, rng)
        request = request_text(spec, letters, rng, wording=wording)
        worked = worked_answer(spec, answer)
        task = ConstraintTask(family, split, request, spec, letters, wording, worked)
        if task.id not in used:
            used.add(task.id)
            out.append(task)
            repeats = 0
        elif (repeats := repeats + 1) == MAX_TRIES:
            raise ValueError(
                f"{spec.to_json()} gave {len(out)} of {num_tasks} {split} requests, then {repeats} "
                "in a row that are used already; ask for fewer"
            )
    return out


def constraint_skill(spec: ConstraintSpec, *, seed: int, license_name: str = "Apache-2.0") -> Skill:
    """A skill as a value, ready for `write_skill`; its name says a word that no request says."""
    rng = random.Random(f"skill:{seed}:{spec.digest}")
    return Skill(
        name=f"{spec.topic}-rules",
        description=skill_description(spec, rng),
        body=skill_body(spec, rng),
        license=license_name,
        metadata={WORLD_KEY: NAME, CHECKER_KEY: spec.to_json()},
    )
