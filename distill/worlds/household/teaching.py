"""What pretraining shows of the household: follower, solver and author. Never a held-out skill.

Owns the three kinds of conversation. Every assistant turn is learned, so no episode shows a
mistake: those that teach to go on from a strange state begin there, and the opening says so.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

from ..authoring import NUM_EXAMPLES, author_request
from ..types import Message, exchange
from ..world import Teaching
from .environment import Start
from .goals import plan
from .replies import reply
from .rooms import open_spec
from .spec import HouseholdSpec
from .state import HAND, State, done, moves
from .tasks import draw_start
from .texts import authored_body, home_phrase, skill_body, step_phrases

LEVEL_SHARES = (0.3, 0.35, 0.35)
"""How often a shown skill is of level one, two or three."""

STRAY_SHARE = 1 / 6
"""How often an episode begins after random actions."""

_MOST_STRAY = 6


def _spec(rng: random.Random, shares: Sequence[float]) -> HouseholdSpec:
    return open_spec(rng, rng.choices((1, 2, 3), shares)[0])


def follower(rng: random.Random, *, shares: Sequence[float] = LEVEL_SHARES) -> Teaching:
    """A skill's text, and whole episodes by it."""
    spec = _spec(rng, shares)

    def draw(rng: random.Random) -> tuple[Message, ...]:
        start = draw_start(spec, rng)
        return expert_episode(strayed(start, rng) if rng.random() < STRAY_SHARE else start)

    return Teaching(skill_body(spec, rng), draw)


def solver(_: random.Random, *, shares: Sequence[float] = LEVEL_SHARES) -> Teaching:
    """Whole episodes whose request says itself where things are and go, without any text."""

    def draw(rng: random.Random) -> tuple[Message, ...]:
        spec = _spec(rng, shares)
        return expert_episode(told_start(spec, rng))

    return Teaching(None, draw)


def author(_: random.Random, *, shares: Sequence[float] = LEVEL_SHARES) -> Teaching:
    """Three requests with the actions that were right; the assistant writes the skill's text."""

    def draw(rng: random.Random) -> tuple[Message, ...]:
        spec = _spec(rng, shares)
        starts = telling_starts(spec, rng)
        body = authored_body(spec, first=starts[0].goal.thing)
        return exchange(examples_request(starts, rng), body)

    return Teaching(None, draw)


def expert_episode(start: Start) -> tuple[Message, ...]:
    """The opening, then the expert's actions with the world's replies; ends with an action."""
    room, state = start.room, start.opening_state
    turns: list[Message] = [{"role": "user", "content": start.opening}]
    for action in plan(room, state, start.goal):
        state = done(room, state, action)
        turns.append({"role": "assistant", "content": action})
        turns.append({"role": "user", "content": reply(room, action, state)})
    return tuple(turns[:-1])


def told_start(spec: HouseholdSpec, rng: random.Random) -> Start:
    """An episode whose request needs no text beside it."""
    start = draw_start(spec, rng)
    thing = start.goal.thing
    said = [home_phrase(thing, dict(spec.homes)[thing], rng), *step_phrases(spec, rng)]
    return replace(start, request=". ".join(said) + ".")


def telling_starts(spec: HouseholdSpec, rng: random.Random) -> list[Start]:
    """Episodes that together ask for every thing of the skill, so that all of it can be told."""
    while True:
        starts = [draw_start(spec, rng) for _ in range(NUM_EXAMPLES)]
        if {start.goal.thing for start in starts} == set(dict(spec.homes)):
            return starts


def examples_request(starts: Sequence[Start], rng: random.Random) -> str:
    """The author's prompt: each request with its plan, one action a line."""
    solved = [
        (start.request, "\n".join(plan(start.room, start.opening_state, start.goal)))
        for start in starts
    ]
    return author_request(solved, rng)


def strayed(start: Start, rng: random.Random) -> Start:
    """The same episode, begun after one to six random actions.

    What was asked for is still where the text says, or in the hand, and untreated: else the expert
    would know what neither the text nor the opening says.
    """
    room, state = start.room, start.state
    mine = [index for index, kind in enumerate(room.things) if kind == start.goal.thing]
    before: list[str] = []
    for _ in range(rng.randint(1, _MOST_STRAY)):
        possible = {
            action: after
            for action, after in moves(room, state).items()
            if _is_told(start.state, after, mine)
        }
        doing = [action for action in possible if not action.startswith("go ")]
        action = rng.choice(doing if doing and rng.random() < 0.6 else list(possible))
        before.append(action)
        state = possible[action]
    return replace(start, before=tuple(before))


def _is_told(first: State, now: State, mine: Sequence[int]) -> bool:
    return all(now.where[i] in (first.where[i], HAND) and not now.traits[i] for i in mine)


SOURCES = {"follower": follower, "solver": solver, "author": author}
