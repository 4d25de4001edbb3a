"""Tasks and skill folders of the world of functions: by depth, by function, atoms alone.

Owns how definitions become checkable requests of a split and a real `SKILL.md`. The checker
travels in the metadata as data; the verifier never reads the body.
"""

import dataclasses
import hashlib
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ....adapters.skills import Skill
from ..metadata import CHECKER_KEY, WORLD_KEY, read_checker
from ..string_skills.answers import score
from ..string_skills.primitives import Symbols
from ..string_skills.spec import Operation
from ..types import Message, OneTurn, Split, Verdict
from .answers import Failure, failure, worked_answer
from .draws import draw_call
from .held_out import chains, held_out_compositions
from .requests import Wording, request_text
from .spec import Chain, Compositions, FunctionsSpec
from .texts import skill_body, skill_description

NAME = "fg"
MAX_REPEATS = 2_000
"""Requests in a row that may be used already before functions count as exhausted."""

_TITLES = "alpha beta gamma delta epsilon zeta eta theta kappa lambda sigma omega".split()


@dataclass(frozen=True)
class CallTask:
    """One call of named functions. `family` is the skill's name; `states` follow the `chain`."""

    family: str
    split: Split
    request: str
    chain: Chain
    operations: tuple[Operation, ...]
    items: Symbols
    states: tuple[Symbols, ...]
    wording: Wording = "seen"
    composition: str = "seen"
    """Whether a base may have seen this order of operations: `seen` or `held-out`."""

    @property
    def expected(self) -> str:
        """What must stand behind `final:`."""
        return " ".join(self.states[-1])

    @property
    def worked(self) -> str:
        return worked_answer(self.chain, self.operations, self.states)

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
            "composition": self.composition,
            "depth": str(len(self.chain)),
            "chain": " ".join(self.chain),
            "expected": self.expected,
        }

    def verify(self, text: str) -> Verdict:
        return score(text, self.expected)

    def failure(self, text: str) -> Failure:
        """Where an answer went wrong; see `answers.failure`."""
        return failure(self.chain, self.expected, text)

    def environment(self) -> OneTurn:
        return OneTurn(self, worked=self.worked)


def draw_tasks(
    spec: FunctionsSpec,
    *,
    family: str,
    split: Split,
    num_tasks: int,
    seed: int,
    exclude: Collection[str] = (),
) -> list[CallTask]:
    """Draw distinct tasks of one split; `exclude` holds ids of other splits.

    Test tasks alternate between frames that training requests use and frames they never use.

    Raises:
        ValueError: no list suits the calls, or there is no further request that is not used.
    """
    rng = random.Random(f"tasks:{NAME}:{seed}:{split}:{family}")
    used = set(exclude)
    out: list[CallTask] = []
    repeats = 0
    while len(out) < num_tasks:
        wording: Wording = "unseen" if split == "test" and len(out) % 2 else "seen"
        task = _draw_task(spec, family, split, wording, rng)
        if task.id not in used:
            used.add(task.id)
            out.append(task)
            repeats = 0
        elif (repeats := repeats + 1) == MAX_REPEATS:
            raise ValueError(
                f"{spec.to_json()} gave {len(out)} of {num_tasks} {split} requests, then {repeats} "
                "in a row that are used already; ask for fewer"
            )
    return out


def _draw_task(
    spec: FunctionsSpec, family: str, split: Split, wording: Wording, rng: random.Random
) -> CallTask:
    chain, items = draw_call(spec, rng)
    operations = spec.operations(chain)
    held_out = held_out_compositions(operations)
    return CallTask(
        family,
        split,
        request_text(chain, items, rng, wording=wording),
        chain,
        operations,
        items,
        spec.states(chain, items),
        wording,
        "held-out" if held_out else "seen",
    )


def functions_skill(
    spec: FunctionsSpec, *, seed: int, name: str | None = None, license_name: str = "Apache-2.0"
) -> Skill:
    """A skill as a value, ready for `write_skill`: the definitions in words, and the checker.

    Its name, where none is given, comes from the definitions and says none of the functions.
    """
    digest = spec.definitions_digest
    rng = random.Random(f"skill:{NAME}:{seed}:{digest}")
    return Skill(
        name=name or f"{_TITLES[int(digest, 16) % len(_TITLES)]}-functions",
        description=skill_description(spec, rng),
        body=skill_body(spec, rng),
        license=license_name,
        metadata={WORLD_KEY: NAME, CHECKER_KEY: spec.to_json()},
    )


def spec_of(skill: Skill) -> FunctionsSpec:
    """The functions behind a skill.

    Raises:
        SkillError: it is of another world, or its checker cannot be read.
    """
    return read_checker(skill, NAME, FunctionsSpec.from_json)


def asking(
    skill: Skill,
    depth: int,
    *,
    functions: Sequence[str] = (),
    compositions: Compositions = "any",
) -> Skill:
    """The same text and functions, asked at another depth or for some functions only.

    Raises:
        ValueError: a function that is not defined, or no call of that kind.
    """
    spec = dataclasses.replace(
        spec_of(skill), depth=depth, asked=tuple(functions), compositions=compositions
    )
    if not chains(spec):
        raise ValueError(
            f"{spec.called} have no call of depth {depth} with compositions {compositions!r}; "
            "take a skill with more functions, or another depth"
        )
    return dataclasses.replace(skill, metadata={**skill.metadata, CHECKER_KEY: spec.to_json()})


def atoms(skill: Skill, *, seed: int) -> tuple[Skill, ...]:
    """One skill for each function, whose text defines that function alone, asked at depth 1.

    Requests of an atom are worded as those of the whole skill, so an atom can be trained alone
    and the calls that nest it tried with `asking(skill, 2)`.
    """
    return tuple(
        functions_skill(FunctionsSpec((function,), 1), seed=seed, name=f"{skill.name}-{index}")
        for index, function in enumerate(spec_of(skill).functions, 1)
    )
