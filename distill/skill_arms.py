"""The arms in which skills are judged, and how an item is asked under one.

Owns which model string and which system text stand for "no skill", "full text", "adapter", "wrong
adapter" and the other controls. Every arm answers the same requests.
"""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from ..adapters.skills import Skill, system_prompt
from .evaluation import Answer, Arm, Item, Sampled
from .policy import Policy, Sampling
from .rollouts.seeds import derived_seed
from .token_meter import tiny_meter
from .worlds.checkers import Checker
from .worlds.split_ledger import SplitLedger
from .worlds.string_skills import irrelevant_body
from .worlds.types import Message, Split, Task

BASE = "base"
"""The model string of the base alone."""


def none_arm() -> Arm:
    return Arm("none", "The base alone: no text, no adapter.", model=BASE)


def text_arm(skills: Sequence[Skill]) -> Arm:
    systems = {skill.name: system_prompt(skill) for skill in skills}
    return Arm("text", "The base with the whole skill text in the prompt.", systems=systems)


def named_arm(refs: Mapping[str, str], *, name: str = "s2l") -> Arm:
    """`refs`: skill name -> model string of its adapter, `BASE` where a skill has none."""
    return Arm(name, "The skill's own adapter, asked for by name; no text.", models=dict(refs))


def wrong_arm(refs: Mapping[str, str]) -> Arm:
    """Every skill gets the adapter of the next one that has one, so none gets its own.

    Where no other skill has an adapter it gets the base alone.

    Raises:
        ValueError: fewer than two skills.
    """
    if len(refs) < 2:
        raise ValueError(f"a wrong adapter needs at least 2 skills, got {len(refs)}")
    donors = sorted(name for name, ref in refs.items() if ref != BASE)

    def wrong(name: str) -> str:
        others = [donor for donor in donors if donor != name]
        return refs[next((d for d in others if d > name), others[0])] if others else BASE

    moved = {name: wrong(name) for name in refs}
    return Arm("wrong", "Another skill's adapter; no text.", models=moved)


def auto_arm() -> Arm:
    return Arm("auto", "The router picks the adapter, or abstains.", model="auto")


def shared_arm(ref: str) -> Arm:
    return Arm(
        "shared",
        "One adapter of the same total rank, trained on the rows of all skills.",
        model=ref,
    )


def irrelevant_arm(skills: Sequence[Skill], *, seed: int) -> Arm:
    """Texts within a tenth of the skills' own length, in tokens of the shipped base."""
    rng = random.Random(f"irrelevant:{seed}")
    systems = {skill.name: _chatter(rng, skill.body) for skill in skills}
    return Arm("irrelevant", "A text of about the same length that says nothing useful.",
               systems=systems)  # fmt: skip


def _chatter(rng: random.Random, body: str) -> str:
    """Of several drawn texts the one whose number of tokens is nearest to the body's."""
    count, words = tiny_meter().count_tokens, len(body.split())
    drawn = [irrelevant_body(rng, max(1, words - less)) for less in range(12) for _ in range(4)]
    return min(drawn, key=lambda text: abs(count(text) - count(body)))


def held_out_items(
    checkers: Mapping[str, Checker],
    *,
    num_items: int,
    seed: int,
    exclude: Mapping[str, Collection[str]],
    ledger: SplitLedger,
    split: Split = "test",
) -> list[Task]:
    """Requests of every skill from one split, written into the ledger.

    Args:
        exclude: by skill, the ids that this split may not have.
        ledger: knows the other splits by calls of its own, so a gap in `exclude` is found.

    Raises:
        ValueError: a request stands in another split already.
    """
    out: list[Task] = []
    for name, checker in checkers.items():
        tasks = checker.tasks(split, num_items, seed=seed, exclude=exclude.get(name, ()))
        ledger.record(split, (task.id for task in tasks))
        out += tasks
    return out


class AskServed:
    """Asks one item under one arm of a served policy; satisfies `evaluation.Ask`."""

    def __init__(self, policy: Policy, sampling: Sampling) -> None:
        self._policy = policy
        self._sampling = sampling

    async def __call__(self, arm: Arm, item: Item, /) -> Answer:
        system = arm.system_for(item.family)
        turns: list[Message] = [] if system is None else [{"role": "system", "content": system}]
        turns += [{k: str(v) for k, v in message.items()} for message in item.messages]
        return await self._policy.complete(
            turns, model=arm.model_for(item.family), sampling=_for(item, self._sampling)
        )


def _for(item: Item, sampling: Sampling) -> Sampling:
    """Of one of several samples: drawn at random, by a seed of its own."""
    if not isinstance(item, Sampled):
        return sampling
    seed = derived_seed(sampling.seed or 0, item.item.id, item.number)
    return replace(sampling, temperature=sampling.temperature or 1.0, seed=seed)
