"""One who knows the household but no skill: searches, treats by a fixed habit, tries places."""

import random
from collections.abc import Generator, Iterator
from typing import Literal

from skillweave.distill.worlds.household.nouns import FIXTURES, THINGS, is_storage, kind_of
from skillweave.distill.worlds.types import Task, Verdict

Habit = Literal["nothing", "lamps", "one fixture", "every fixture"]
Script = Generator[str, str, str]
"""Yields actions, is sent the answers."""


def asked_for(task: Task) -> str:
    words = task.messages[0]["content"].split("\n")[0].translate({ord(c): " " for c in ".,:?"})
    return next(word for word in reversed(words.split()) if word in THINGS)


def wander(task: Task, habit: Habit, rng: random.Random) -> Verdict:
    """Play one episode without its text."""
    episode = task.environment()
    (opening,) = episode.reset(0).messages
    script = _script(asked_for(task), _places(opening["content"]), habit, rng)
    action = next(script)
    while True:
        step = episode.step(action)
        if step.terminated or step.truncated:
            return episode.verdict()
        try:
            action = script.send(step.observation.messages[0]["content"])
        except StopIteration:
            return episode.verdict()


def _places(opening: str) -> list[str]:
    return opening.split("\n")[1].removeprefix("you see ").rstrip(".").split(", ")


def _script(thing: str, places: list[str], habit: Habit, rng: random.Random) -> Script:
    rng.shuffle(places)
    storage = [place for place in places if is_storage(place)]
    home, copies = "", 0
    for place in storage:
        seen = yield from _enter(place)
        copies = seen.replace(",", "").rstrip(".").split().count(thing)
        if copies:
            home = place
            break
    for _ in range(copies):
        yield f"take {thing} from {home}"
    for fixture in [] if copies > 1 else _fixtures(places, habit):
        verb = FIXTURES[kind_of(fixture)]
        yield f"go to {fixture}"
        yield f"use {fixture}" if verb == "use" else f"{verb} {thing} with {fixture}"
    for place in storage:
        if place != home:
            yield from _enter(place)
            for act in (f"put {thing} in {place}", f"take {thing} from {place}"):
                for _ in range(copies):
                    yield act


def _enter(place: str) -> Script:
    seen = yield f"go to {place}"
    if "closed" in seen:
        seen = yield f"open {place}"
    return seen


def _fixtures(places: list[str], habit: Habit) -> Iterator[str]:
    fixtures = [place for place in places if not is_storage(place)]
    if habit == "lamps":
        fixtures = [fixture for fixture in fixtures if FIXTURES[kind_of(fixture)] == "use"]
    num = {"nothing": 0, "one fixture": 1}.get(habit, len(fixtures))
    return iter(fixtures[:num])
