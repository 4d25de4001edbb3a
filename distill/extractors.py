"""From a few solved examples to a skill's text: extractors with set faults, and a base as author.

Owns what an extractor is told, the faults, the drafts of a model and the choice among them. Refuses
to own what a good text is (`rubric.py`) and whether it helped (`evaluation/lifecycle.py`).

The extractors with faults are rules that are told the truth: what they show is machinery, that
harm which was planted is found. The model's drafts are written from the examples alone: what they
show is an effect. To add a fault: a function, and its row in `FAULTS`.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from ..adapters.skills import Skill
from .policy import Policy, Sampling, bounded_map
from .rollouts.seeds import derived_seed
from .rubric import META_SKILL, final_of, rubric
from .skill_arms import BASE
from .teachers import TRUTH, AskedTeacher, Craft, Draft, Drafts, Payload, ProgrammaticSource, Rates
from .teachers.types import TeacherBudget
from .worlds.authoring import author_request
from .worlds.types import Task

_VAGUE = (
    "Look at the request.", "You may change some items.", "You should make the list right.",
    "Some of the steps could come in a new order.", "The answer should be good.",
    "You might look at the result again.", "Think about the request before you write.",
)  # fmt: skip
MAX_DRAFT = 160
"""Most tokens of a draft; texts of our worlds have at most 130."""


@dataclass(frozen=True)
class Experience:
    """What is known of one domain: the skill behind it, and solved examples.

    `other` is the text of another skill of the same world, which is wrong here.
    """

    skill: Skill
    solved: tuple[tuple[str, str], ...]
    other: str

    @property
    def payload(self) -> Payload:
        """For the role `extract`; the truth is for extractors with faults alone."""
        return {
            "traces": [{"request": r, "answer": a} for r, a in self.solved],
            "guide": META_SKILL,
            TRUTH: {"name": self.skill.name, "body": self.skill.body, "other": self.other},
        }


def experience(skill: Skill, examples: Sequence[Task], *, other: str) -> Experience:
    """Examples with the world's own worked answers.

    Raises:
        ValueError: a task of which its world has no worked answer.
    """
    solved = []
    for task in examples:
        environment = task.environment()
        environment.reset(0)
        answer = environment.expert()
        if answer is None:
            raise ValueError(f"task {task.id!r} has no worked answer to learn from")
        solved.append((str(task.messages[-1]["content"]), answer))
    return Experience(skill, tuple(solved), other)


def _faithful(truth: Mapping[str, str], solved: list[dict[str, str]], rng: random.Random) -> str:
    return truth["body"]


def _vague(truth: Mapping[str, str], solved: list[dict[str, str]], rng: random.Random) -> str:
    """About as many words as the true text, none of which says what is to be done."""
    wanted, lines = len(truth["body"].split()), list[str]()
    while sum(len(line.split()) for line in lines) < wanted:
        lines += rng.sample(_VAGUE, 1)
    return "\n".join(lines)


def _over_specific(truth: Mapping[str, str], solved: list[dict[str, str]], _: random.Random) -> str:
    """The examples by heart."""
    rows = [(" ".join(row["request"].split()), final_of(row["answer"])) for row in solved]
    return "\n".join(f"- {request} gives {final}" for request, final in rows)


def _wrong(truth: Mapping[str, str], solved: list[dict[str, str]], rng: random.Random) -> str:
    """Another skill's procedure, said as plainly as the right one."""
    return truth["other"]


Fault = Callable[[Mapping[str, str], list[dict[str, str]], random.Random], str]
FAULTS: Mapping[str, Fault] = {
    "faithful": _faithful,
    "vague": _vague,
    "over_specific": _over_specific,
    "wrong": _wrong,
}


def faulty_teacher(
    fault: str, *, error: float = 1.0, budget: TeacherBudget | None = None
) -> AskedTeacher:
    """A teacher whose role `extract` has one fault in a share of its answers.

    Raises:
        KeyError: no such fault.
        UsageError: a share outside [0, 1].
    """
    craft = Craft(_said(FAULTS["faithful"]), _said(FAULTS[fault]), _said(_vague))
    source = ProgrammaticSource(
        {"extract": craft}, label=f"extractor:{fault}", rates={"extract": Rates(error=error)}
    )
    return AskedTeacher(source, budget=budget, privileged={"extract"})


async def extracted(teacher: AskedTeacher, told: Experience, *, seed: int) -> str:
    """The text that a teacher makes of a domain; empty where it makes none."""
    found = await teacher.ask("extract", told.payload, schema=Drafts, seed=seed)
    return found.skills[0].body if found.skills else ""


async def extract_all(
    policy: Policy, told: Sequence[Experience], *, num_drafts: int, seed: int
) -> dict[str, list[str]]:
    """What every extractor makes of every domain, in order of the domains.

    The faults by name; of the model's drafts `draft` is one by chance and `guided` the one that
    the meta-skill chooses, both from the same drafts.
    """
    made: dict[str, list[str]] = {}
    for fault in FAULTS:
        teacher = faulty_teacher(fault)
        made[fault] = [await extracted(teacher, one, seed=seed) for one in told]
    drafts = await model_drafts(policy, told, num_drafts=num_drafts, seed=seed)
    both = list(zip(drafts, told, strict=True))
    made["draft"] = [unguided(texts, one, seed=seed) for texts, one in both]
    made["guided"] = [guided(texts, one) for texts, one in both]
    return made


def scored(
    told: Sequence[Experience],
    made: Mapping[str, Sequence[str]],
    score: Callable[[str, Experience], float],
) -> dict[tuple[str, str], float]:
    """What a judge thinks of every text: (skill, extractor) -> score."""
    return {
        (one.skill.name, name): score(text, one)
        for name, texts in made.items()
        for text, one in zip(texts, told, strict=True)
    }


async def model_drafts(
    policy: Policy, told: Sequence[Experience], *, num_drafts: int, seed: int, concurrency: int = 16
) -> list[list[str]]:
    """So many drafts of every domain, drawn at temperature 1 from the examples alone.

    The request is the one that the shipped base learned to answer as an author; it follows no
    free instruction, so the meta-skill cannot reach it but by the choice among its drafts.
    """

    async def draft(which: tuple[Experience, int]) -> str:
        one, number = which
        key = (seed, one.skill.name)
        asked = author_request(one.solved, random.Random(derived_seed(*key)))
        sampling = Sampling(1.0, MAX_DRAFT, seed=derived_seed(*key, number))
        messages = [{"role": "user", "content": asked}]
        return (await policy.complete(messages, model=BASE, sampling=sampling)).text.strip()

    asked = [(one, number) for one in told for number in range(num_drafts)]
    texts = await bounded_map(draft, asked, concurrency=concurrency)
    return [texts[at : at + num_drafts] for at in range(0, len(texts), num_drafts)]


def guided(drafts: Sequence[str], told: Experience) -> str:
    """The draft that the meta-skill's rubric likes best, the first of them on ties."""
    return max(drafts, key=lambda text: rubric(text, told.solved).total)


def unguided(drafts: Sequence[str], told: Experience, *, seed: int) -> str:
    """One of the same drafts by chance: what the same budget buys without the meta-skill."""
    return random.Random(derived_seed(seed, told.skill.name, "unguided")).choice(list(drafts))


def _said(fault: Fault) -> Callable[[Payload, random.Random], Drafts]:
    def answer(told: Payload, rng: random.Random) -> Drafts:
        truth = cast(Mapping[str, str], told[TRUTH])
        body = fault(truth, cast(list[dict[str, str]], told["traces"]), rng)
        about = f"What is known of {truth['name']}. Use when it comes up."
        return Drafts(skills=(Draft(name=truth["name"], description=about, body=body),))

    return answer
