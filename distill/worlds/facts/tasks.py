"""Tasks and skill folders of the world of facts.

Owns how a table becomes checkable requests of a split and a real `SKILL.md`. The checker travels
in the metadata as data; the verifier never reads the body.
"""

import dataclasses
import hashlib
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ....adapters.skills import Skill
from ..metadata import CHECKER_KEY, WORLD_KEY, read_checker
from ..string_skills.answers import FINAL, score
from ..types import Message, OneTurn, Split, Verdict
from .manipulations import MANIPULATIONS, Fact
from .requests import Wording, draw_asked, request_text
from .spec import FactsSpec
from .texts import skill_body, skill_description

NAME = "facts"
MAX_TRIES = 2_000
"""Requests in a row that may be used already before a table counts as exhausted."""


@dataclass(frozen=True)
class FactTask:
    """One request about facts of a table. `family` is the skill's name."""

    family: str
    split: Split
    request: str
    manipulation: str
    asked: tuple[Fact, ...]
    wording: Wording = "seen"

    @property
    def expected(self) -> str:
        """What must stand behind `final:`."""
        return " ".join(MANIPULATIONS[self.manipulation].apply(self.asked))

    @property
    def worked(self) -> str:
        return worked_answer(self.manipulation, self.asked)

    @property
    def id(self) -> str:
        text = f"{NAME}\n{self.family}\n{self.request}\n{self.expected}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def messages(self) -> tuple[Message, ...]:
        return ({"role": "user", "content": self.request},)

    @property
    def meta(self) -> Mapping[str, str]:
        return {
            "world": NAME,
            "wording": self.wording,
            "manipulation": self.manipulation,
            "expected": self.expected,
        }

    def verify(self, text: str) -> Verdict:
        return score(text, self.expected)

    def environment(self) -> OneTurn:
        return OneTurn(self, worked=self.worked)


def worked_answer(manipulation: str, asked: Sequence[Fact]) -> str:
    """The reference answer: the codes that are used, a line each, then the final line.

    Plain recall and its inverse have nothing to work out.
    """
    row = MANIPULATIONS[manipulation]
    codes = [code for _, code in asked] if row.shows_codes else []
    lines = [f"{i}: {' '.join(code)}" for i, code in enumerate(codes, 1)]
    return "\n".join([*lines, f"{FINAL} {' '.join(row.apply(asked))}"])


def draw_tasks(
    spec: FactsSpec,
    *,
    family: str,
    split: Split,
    num_tasks: int,
    seed: int,
    exclude: Collection[str] = (),
) -> list[FactTask]:
    """Draw distinct tasks of one split; `exclude` holds ids of other splits.

    Test tasks alternate between openings that training requests use and openings they never use.

    Raises:
        ValueError: the table has no further request that is not used.
    """
    rng = random.Random(f"tasks:{NAME}:{seed}:{split}:{family}")
    used = set(exclude)
    out: list[FactTask] = []
    repeats = 0
    while len(out) < num_tasks:
        wording: Wording = "unseen" if split == "test" and len(out) % 2 else "seen"
        name = rng.choice(spec.manipulations)
        asked = draw_asked(name, spec.facts, rng)
        request = request_text(name, asked, rng, wording=wording)
        task = FactTask(family, split, request, name, asked, wording)
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


def facts_skill(spec: FactsSpec, *, seed: int, license_name: str = "Apache-2.0") -> Skill:
    """A skill as a value, ready for `write_skill`: the table in one layout, and its checker."""
    rng = random.Random(f"skill:{NAME}:{seed}:{spec.digest}")
    return Skill(
        name=f"{spec.entity_class}-facts",
        description=skill_description(spec, rng),
        body=skill_body(spec, rng),
        license=license_name,
        metadata={WORLD_KEY: NAME, CHECKER_KEY: spec.to_json()},
    )


def spec_of(skill: Skill) -> FactsSpec:
    """The table behind a skill.

    Raises:
        SkillError: it is of another world, or its checker cannot be read.
    """
    return read_checker(skill, NAME, FactsSpec.from_json)


def asking(skill: Skill, manipulations: Sequence[str]) -> Skill:
    """The same text and table, asked in other ways: recall beside a manipulation, say.

    Raises:
        ValueError: a manipulation that does not exist or that the table cannot bear.
    """
    spec = dataclasses.replace(spec_of(skill), manipulations=tuple(manipulations))
    return dataclasses.replace(skill, metadata={**skill.metadata, CHECKER_KEY: spec.to_json()})
