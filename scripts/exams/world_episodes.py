"""Episodes of any world: a skill and a task a seed, played by the expert, a guess, or nonsense.

Owns these draws for the exam `worlds` and the conformance tests. Refuses to own bars and worlds.
"""

import functools
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from ...adapters.skills import Skill
from ...distill.worlds.checkers import worlds
from ...distill.worlds.types import Environment, Message, Task, Verdict
from ...distill.worlds.world import World

NEEDS = {"reasoning": "reasoning_gym"}
"""World name -> the package of an optional extra without which it cannot draw."""

SEEDS = range(50)

HOSTILE = {
    "code": "__import__('pathlib').Path({path!r}).touch()",
    "final code": "final: __import__('pathlib').Path({path!r}).touch()",
    "template": "final: {{{{ open({path!r}, 'w') }}}}",
    "shell": "final: $(touch {path}) `touch {path}` ; touch {path}",
    "a megabyte": "final: " + "b " * 524_288,
    "a megabyte in lines": "go\n" * 349_525,
    "nested": "final: " + "(" * 20_000 + ")" * 20_000,
    "a large power": "final: 9**9**9**9",
    "many digits": "final: " + "9" * 20_000,
    "half a surrogate": "final: \udcff\ud800 b c",
    "control": "\x00\x1b[2J final:\x00 \u202e",
    "separators": "final: b\u2028final: c\x85final: d",
    "empty": "",
}
"""Answers that must be worth nothing and run nothing; `{path}` is a file that code would make."""


def hostile_answer(kind: str, path: str) -> str:
    """The answer of a kind, aimed at a file."""
    text = HOSTILE[kind]
    return text.format(path=path) if "path" in text else text


def levels(world: World) -> tuple[int, ...]:
    return tuple(sorted({*world.spec.levels, *world.spec.out_of_range}))


@functools.cache
def drawn(name: str) -> tuple[tuple[Skill, Task], ...]:
    """One skill and one of its tasks for each seed, levels in turn."""
    world = worlds()[name]
    every = levels(world)
    rows = []
    for seed in SEEDS:
        skill = world.skill(every[seed % len(every)], seed=seed)
        rows.append((skill, world.tasks(skill, "test", 2, seed=seed)[seed % 2]))
    return tuple(rows)


@dataclass(frozen=True)
class Played:
    """What an episode came to. `observed` are the messages that the world showed after actions."""

    digest: str
    verdict: Verdict
    truncated: bool
    actions: tuple[str, ...]
    observed: tuple[Message, ...]


def play(task: Task, *, max_turns: int, action: str | None = None, seed: int = 0) -> Played:
    """Play `action` at every turn, or what the expert says; until it ends or `max_turns`."""
    episode = task.environment()
    trace: list[object] = [[dict(m) for m in episode.reset(seed).messages]]
    actions: list[str] = []
    observed: list[Message] = []
    truncated = False
    for act in _actions(episode, action, max_turns):
        step = episode.step(act)
        actions.append(act)
        observed += step.observation.messages
        trace += [act, [dict(m) for m in step.observation.messages], step.reward, step.terminated]
        truncated = step.truncated
        if step.terminated or step.truncated:
            break
    text = json.dumps(trace, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Played(digest, episode.verdict(), truncated, tuple(actions), tuple(observed))


def _actions(episode: Environment, action: str | None, most: int) -> Iterator[str]:
    for _ in range(most):
        act = episode.expert() if action is None else action
        if act is None:
            return
        yield act
