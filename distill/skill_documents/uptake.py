"""What a trajectory shows of reading: resources touched, and uptake. Pure.

Uptake: a resource is read, and within three actions follows one that contains an identifier or
value which occurs in that resource and in no earlier context. Earlier context is all that the
agent was given, wrote and saw before it saw the resource.

Source: SkillJuror (arXiv:2606.11543) counts both; its rule of uptake was not found, this is ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .layouts import facts_in, pointers_in
from .phrases import occurs

WINDOW = 3
"""Actions after a read in which an uptake counts."""


@dataclass(frozen=True)
class Action:
    """One action: what the agent wrote and, where it read a resource, which one and what it saw."""

    text: str
    resource: str | None = None
    shown: str = ""


def terms(text: str) -> frozenset[str]:
    """Keys and values of the facts in a text, names and keys of its pointers."""
    facts, pointers = facts_in(text), pointers_in(text)
    named = (key for keys in pointers.values() for key in keys)
    return frozenset({*(f.key for f in facts), *(f.value for f in facts), *pointers, *named})


def touched(actions: Sequence[Action]) -> int:
    """How many different resources were read; the root counts as one."""
    return len({action.resource for action in actions if action.resource is not None})


def uptakes(given: str, actions: Sequence[Action]) -> tuple[str, ...]:
    """The reads that were taken up, by resource, in order; at most one for each read.

    Args:
        given: what the agent had before its first action, such as the request.
    """
    found = []
    earlier = given
    for number, action in enumerate(actions):
        earlier = f"{earlier}\n{action.text}"
        if action.resource is not None:
            fresh = {term for term in terms(action.shown) if not occurs(term, earlier)}
            after = actions[number + 1 : number + 1 + WINDOW]
            if any(occurs(term, later.text) for later in after for term in fresh):
                found.append(action.resource)
        earlier = f"{earlier}\n{action.shown}"
    return tuple(found)
