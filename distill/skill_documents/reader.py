"""A scripted reader: reads the root, opens what it needs within its tokens, keeps what it can use.

Machinery, not a model: it stands in the place of an agent that would choose for itself, so that
two layouts are compared under one way of choosing. Owns the choice, what it costs, and how a reader
with its rendering travels in an arm's system text, so that an arm is known by what it was asked
with. Refuses to own the answer, which is the model's.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from .layouts import Rendering, facts_in, pointers_in, rendering_of
from .phrases import occurs, place, segments
from .uptake import Action

Count = Callable[[str], int]
"""Tokens of a text."""
ROOT = "root"
_MARK = re.compile(r"reader with (\d+) tokens\n")


@dataclass(frozen=True)
class Reading:
    """What one reading did: its actions, what it kept, and the tokens of its calls.

    `prompt_tokens` are those of one call for each resource that was opened: the root, the request
    and all that was opened before. `completion_tokens` are those of the actions.
    """

    actions: tuple[Action, ...]
    kept: tuple[str, ...]
    prompt_tokens: int
    completion_tokens: int

    @property
    def text(self) -> str | None:
        """What the model is shown; None where nothing was opened."""
        return "\n\n".join(self.kept) or None


def read(rendering: Rendering, request: str, *, budget: int, count: Count) -> Reading:
    """Open resources for a request while they fit into `budget` tokens.

    A root that says keys is followed: the resources whose keys the request names, in its order.
    Where the root says none, the reader guesses: all resources, in an order drawn by the request.
    Afterwards it keeps what holds a key of the request, or everything where nothing does.
    """
    said = pointers_in(rendering.root)
    guessing = not any(said.values())
    names = _drawn(said, request) if guessing else _named(said, request)
    base, left, actions = count(rendering.root) + count(request), budget, []
    prompt_tokens = completion_tokens = 0
    for name in names:
        text = rendering.resources[name]
        if count(text) > left:
            break
        prompt_tokens += base + budget - left
        left -= count(text)
        actions.append(Action(f"open {name}", name, text))
        completion_tokens += count(actions[-1].text)
    opened = tuple(action.shown for action in actions)
    useful = tuple(t for t in opened if any(occurs(f.key, request) for f in facts_in(t)))
    start = Action("", ROOT, rendering.root)
    return Reading((start, *actions), useful or opened, prompt_tokens, completion_tokens)


def to_be_read(rendering: Rendering, *, budget: int) -> str:
    """The system text of an arm whose requests a reader with so many tokens reads for."""
    return f"reader with {budget} tokens\n{rendering.text}"


def reader_of(system: str) -> tuple[Rendering, int] | None:
    """What `to_be_read` wrote: the rendering and the budget; None for any other system text."""
    mark = _MARK.match(system)
    return None if mark is None else (rendering_of(system[mark.end() :]), int(mark[1]))


def _named(said: dict[str, tuple[str, ...]], request: str) -> list[str]:
    """The resources with a key that stands in the request, by where it first stands."""
    where = segments(request)
    places = {}
    for name, keys in said.items():
        found = [place(tuple(w for s in segments(key) for w in s), where) for key in keys]
        if seen := [one for one in found if one is not None]:
            places[name] = min(seen)
    return sorted(places, key=lambda name: places[name])


def _drawn(said: dict[str, tuple[str, ...]], request: str) -> list[str]:
    """All resources in an order that depends on the request alone."""
    return sorted(said, key=lambda name: hashlib.sha256(f"{request}\n{name}".encode()).digest())
