"""Tasks of the household: one request in one room, whose end can be checked.

Owns how a `HouseholdSpec` becomes episodes of a split and a real `SKILL.md`. What is checked is the
room at the end; a text is split into lines and each is looked up, never run.
"""

import hashlib
import json
import random
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from itertools import islice

from ....adapters.skills import Skill
from ..metadata import CHECKER_KEY, WORLD_KEY
from ..string_skills.answers import too_long
from ..types import Message, Split, Verdict
from .environment import HouseholdEnvironment, Start
from .goals import plan
from .requests import Wording, request_text
from .rooms import draw_room
from .spec import HouseholdSpec
from .split import split_of
from .texts import skill_body, skill_description

NAME = "household"
MAX_TURNS = 10
ACTIONS_PER_SPARE_TURN = 3
"""An episode has one turn more than the expert needs for every so many of its actions, and
`MAX_TURNS` at most: who does not know where things are and go has no time to try all places."""

MAX_TRIES = 10_000
"""Draws in a row that may be used already before a split is called empty."""


@dataclass(frozen=True)
class HouseholdTask:
    """One episode. `family` is the skill's name; `wording` of the request seen or unseen."""

    family: str
    start: Start
    wording: Wording

    @property
    def id(self) -> str:
        return content_id(self.family, self.start)

    @property
    def split(self) -> Split:
        """Follows from the id, so that splits cannot overlap."""
        return split_of(self.id)

    @property
    def messages(self) -> tuple[Message, ...]:
        return ({"role": "user", "content": self.start.opening},)

    @property
    def meta(self) -> Mapping[str, str]:
        return {
            "world": NAME,
            "wording": self.wording,
            "shape": self.start.goal.shape,
            "expected": "\n".join(self.expert_plan),
        }

    @property
    def expert_plan(self) -> tuple[str, ...]:
        """The expert's actions from the start."""
        return tuple(plan(self.start.room, self.start.opening_state, self.start.goal))

    def verify(self, text: str) -> Verdict:
        """Play `text`, one action a line; blank lines are no actions."""
        if (long := too_long(text)) is not None:
            return long
        episode = self.environment()
        lines = (line for line in text.splitlines() if line.strip())
        for action in islice(lines, MAX_TURNS):
            step = episode.step(action)
            if step.terminated or step.truncated:
                break
        return episode.verdict()

    def environment(self) -> HouseholdEnvironment:
        needed = len(self.expert_plan)
        turns = min(MAX_TURNS, needed + needed // ACTIONS_PER_SPARE_TURN)
        return HouseholdEnvironment(self.start, max_turns=turns)


def content_id(family: str, start: Start) -> str:
    """A hash of everything that an episode consists of."""
    state = start.state.digest
    parts = [family, start.request, asdict(start.room), state, asdict(start.goal), start.before]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def draw_start(spec: HouseholdSpec, rng: random.Random, *, wording: Wording = "seen") -> Start:
    """One episode of a skill: for which of its things, in which room, how it is said."""
    thing = rng.choice([thing for thing, _ in spec.homes])
    room, state = draw_room(spec, thing, rng)
    return Start(
        room, state, spec.goal(thing), request_text(spec.topic, thing, rng, wording=wording)
    )


def draw_tasks(
    spec: HouseholdSpec,
    *,
    family: str,
    split: Split,
    num_tasks: int,
    seed: int,
    exclude: Collection[str] = (),
) -> list[HouseholdTask]:
    """Draw distinct tasks of one split; ids in `exclude` are left out.

    Test tasks alternate between wordings that training requests use and wordings they never use;
    the other splits use the former only.

    Raises:
        ValueError: no further task that is not used.
    """
    rng = random.Random(f"{NAME}:{seed}:{split}:{family}:{spec.digest}")
    used = set(exclude)
    out: list[HouseholdTask] = []
    repeats = 0
    while len(out) < num_tasks:
        wording: Wording = "unseen" if split == "test" and len(out) % 2 else "seen"
        task = HouseholdTask(family, draw_start(spec, rng, wording=wording), wording)
        if task.split == split and task.id not in used:
            used.add(task.id)
            out.append(task)
            repeats = 0
        elif (repeats := repeats + 1) == MAX_TRIES:
            raise ValueError(
                f"{spec.to_json()} gave {len(out)} of {num_tasks} {split} tasks, then {repeats} "
                "in a row that are used already; ask for fewer"
            )
    return out


def household_skill(spec: HouseholdSpec, *, seed: int, license_name: str = "Apache-2.0") -> Skill:
    """A skill as a value, ready for `write_skill`: text in one wording, and its checker.

    It is named by its topic, with a word that no request says.
    """
    rng = random.Random(f"skill:{seed}:{spec.digest}")
    return Skill(
        name=f"{spec.topic}-round",
        description=skill_description(spec, rng),
        body=skill_body(spec, rng),
        license=license_name,
        metadata={WORLD_KEY: NAME, CHECKER_KEY: spec.to_json()},
    )
