"""Tasks and skill folders of the string world.

Owns how a `SkillSpec` becomes checkable requests of a split and a real `SKILL.md`. The checker of
a skill travels in its metadata under `CHECKER_KEY`, as data: the verifier rebuilds the procedure
from it and never reads the body.
"""

import hashlib
import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ....adapters.skills import Skill
from ..metadata import CHECKER_KEY, WORLD_KEY
from ..types import Message, OneTurn, Split, Verdict
from .answers import score, worked_answer
from .requests import MAX_TRIES, Wording, random_items, request_text
from .spec import SkillSpec
from .texts import plain_request, random_spec, skill_body, skill_description
from .topics import TOPICS

NAME = "string_skills"


@dataclass(frozen=True)
class StringTask:
    """One request of a string skill. `family` is the skill's name; `wording` seen or unseen."""

    family: str
    split: Split
    request: str
    expected: str
    wording: Wording
    worked: str = ""
    """The reference answer with its intermediate lines."""

    @property
    def id(self) -> str:
        text = f"{self.family}\n{self.request}\n{self.expected}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def messages(self) -> tuple[Message, ...]:
        return ({"role": "user", "content": self.request},)

    @property
    def meta(self) -> Mapping[str, str]:
        return {"world": NAME, "wording": self.wording, "expected": self.expected}

    def verify(self, text: str) -> Verdict:
        return score(text, self.expected)

    def environment(self) -> OneTurn:
        return OneTurn(self, worked=self.worked or None)


def draw_tasks(
    spec: SkillSpec,
    *,
    family: str,
    split: Split,
    num_tasks: int,
    seed: int,
    exclude: Collection[str] = (),
) -> list[StringTask]:
    """Draw distinct tasks of one split; `exclude` holds ids of other splits.

    Test tasks alternate between wordings that training requests use and wordings they never use;
    the other splits use the former only.

    Raises:
        ValueError: the skill has no such list, or no further request that is not used.
    """
    rng = random.Random(f"tasks:{seed}:{split}:{family}")
    used = set(exclude)
    out: list[StringTask] = []
    repeats = 0
    while len(out) < num_tasks:
        wording: Wording = "unseen" if split == "test" and len(out) % 2 else "seen"
        items = random_items(spec, rng)
        request = request_text(spec, items, rng, wording=wording)
        worked = worked_answer(spec, items)
        task = StringTask(family, split, request, spec.final(items), wording, worked)
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


def string_skill(spec: SkillSpec, *, seed: int, license_name: str = "Apache-2.0") -> Skill:
    """A skill as a value, ready for `write_skill`: text in one wording, and its checker.

    It is named by its topic, with a word that no request says.
    """
    rng = random.Random(f"skill:{seed}:{spec.digest}")
    return Skill(
        name=f"{spec.topic}-routine",
        description=skill_description(spec, rng),
        body=skill_body(spec, rng),
        license=license_name,
        metadata={WORLD_KEY: NAME, CHECKER_KEY: spec.to_json()},
    )


def plain_tasks(num_tasks: int, *, seed: int, split: Split = "test") -> list[StringTask]:
    """Tasks whose request names one operation itself: what the base can do without any skill."""
    rng = random.Random(f"plain:{seed}:{split}")
    out: dict[str, StringTask] = {}
    while len(out) < num_tasks:
        spec = SkillSpec(random_spec(rng, 1).operations, "plain", rng.choice(tuple(TOPICS)))
        items = random_items(spec, rng)
        request = plain_request(spec.operations[0], items, rng)
        worked = worked_answer(spec, items)
        task = StringTask("plain", split, request, spec.final(items), "seen", worked)
        out.setdefault(task.id, task)
    return list(out.values())


def stray_requests(
    num_requests: int, *, without: Collection[str], seed: int, split: Split
) -> list[str]:
    """Requests about topics that no skill in `without` has: a router should abstain on them.

    Development and test requests come from different topics.
    """
    topics = [slug for slug in TOPICS if slug not in without]
    half = topics[::2] if split == "dev" else topics[1::2]
    rng = random.Random(f"stray:{seed}:{split}")
    out = []
    for index in range(num_requests):
        spec = random_spec(rng, 1, topic=half[index % len(half)])
        wording: Wording = "unseen" if split == "test" and index % 2 else "seen"
        out.append(request_text(spec, random_items(spec, rng), rng, wording=wording))
    return out
