"""Skill texts of the household: one routine in many wordings and layouts.

Owns how a `HouseholdSpec` becomes the body and the description of a `SKILL.md`. Pure but for the
random generator that the caller passes. The information is always complete, and every name stands
as the room and the actions say it. Bodies stay below 130 tokens.
"""

import random

from ..string_skills.topics import TOPICS
from .spec import HouseholdSpec

Rng = random.Random

_OPENERS = (
    "Use this skill for the {w}.", "This is what we do for the {w}.", "A note on the {w}.",
    "Follow the steps below.", "Work through the steps in order.", "What to do with your items.",
)  # fmt: skip
_HOMES = (
    "the {t} is in {h}", "find the {t} in {h}", "you find the {t} in {h}",
    "take the {t} from {h}", "look in {h} for the {t}", "{h} has the {t}",
)  # fmt: skip
_TREATMENTS = {
    "clean": ("clean it with {f}", "use {f} to clean it", "make it clean with {f}"),
    "heat": ("heat it with {f}", "use {f} to heat it", "make it hot with {f}"),
    "cool": ("cool it with {f}", "use {f} to cool it", "make it cold with {f}"),
    "look": ("look at it under {f}", "use {f} to see it", "examine it under {f}"),
}
_ENDS = ("put it in {p}", "it must go to {p}", "take it to {p}", "leave it in {p}")
_ENDS_OF_TWO = (
    "put two in {p}", "two must go to {p}", "take two and put both in {p}", "leave two in {p}"
)  # fmt: skip
_NOTES = (
    "Open what is closed.", "Do not skip a step.", "Be exact.", "Nothing else changes.",
    "One step after the other.", "Do this in order.",
)  # fmt: skip
_CONNECTORS = ("Then", "Next", "After that")

_DESCRIPTIONS = (
    "Use when a request is about the {a} or the {b}.",
    "Use when someone speaks of the {a}, the {b} or the {c}.",
    "Use when a request has to do with the {a}, the {b}, the {c} or the {d}.",
)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def home_phrase(thing: str, home: str, rng: Rng) -> str:
    """Where one thing is."""
    return rng.choice(_HOMES).format(t=thing, h=home)


def step_phrases(spec: HouseholdSpec, rng: Rng) -> list[str]:
    """What is done with the thing, and where it goes: one or two phrases."""
    phrases = []
    if spec.fixture:
        phrases.append(rng.choice(_TREATMENTS[spec.shape]).format(f=spec.fixture))
    if spec.place:
        ends = _ENDS_OF_TWO if spec.shape == "two" else _ENDS
        phrases.append(rng.choice(ends).format(p=spec.place))
    return phrases


def _laid_out(homes: list[str], steps: list[str], rng: Rng) -> str:
    """Both parts in one of six layouts."""
    layout = rng.randrange(6)
    if layout == 0:
        return "\n".join(f"{i}. {_capital(text)}." for i, text in enumerate(homes + steps, 1))
    if layout == 1:
        return "\n".join(f"- {text}" for text in homes + steps)
    if layout == 2:
        return "\n".join(f"Step {i}: {text}." for i, text in enumerate(homes + steps, 1))
    told = " ".join(f"{_capital(text)}." for text in homes)
    marks = [rng.choice(_CONNECTORS) for _ in steps]
    done = " ".join(f"{mark} {text}." for mark, text in zip(marks, steps, strict=True))
    if layout == 3:
        return f"## Where\n{told}\n\n## Steps\n" + "\n".join(f"- {text}" for text in steps)
    if layout == 4:
        return "## Items\n" + "\n".join(f"- {text}" for text in homes) + "\n\n## Steps\n" + done
    return f"{told} {done}"


def skill_body(spec: HouseholdSpec, rng: Rng) -> str:
    """The Markdown body of a `SKILL.md`: heading, opener, knowledge and notes, varied."""
    topic = TOPICS[spec.topic]
    blocks: list[str] = []
    if rng.random() < 0.6:
        heading = rng.choice((spec.topic, rng.choice(topic.told)))
        blocks.append(f"# {_capital(heading)}")
    if rng.random() < 0.5:
        blocks.append(rng.choice(_OPENERS).format(w=rng.choice(topic.told)))
    homes = [home_phrase(*home, rng) for home in rng.sample(spec.homes, len(spec.homes))]
    blocks.append(_laid_out(homes, step_phrases(spec, rng), rng))
    notes = rng.sample(_NOTES, rng.choice((0, 0, 1, 2)))
    if notes:
        blocks.append(" ".join(notes))
    return "\n\n".join(blocks)


def skill_description(spec: HouseholdSpec, rng: Rng) -> str:
    """When to use the skill, in words of its topic; says nothing about what it knows."""
    a, b, c, d = rng.sample(TOPICS[spec.topic].told, 4)
    return rng.choice(_DESCRIPTIONS).format(a=a, b=b, c=c, d=d)


def authored_body(spec: HouseholdSpec, *, first: str) -> str:
    """The text that an author is taught to write: the first wordings, one layout.

    Args:
        first: the thing that is told first.
    """
    homes = sorted(spec.homes, key=lambda home: home[0] != first)
    lines = [_HOMES[0].format(t=thing, h=home) for thing, home in homes]
    if spec.fixture:
        lines.append(_TREATMENTS[spec.shape][0].format(f=spec.fixture))
    if spec.place:
        lines.append((_ENDS_OF_TWO if spec.shape == "two" else _ENDS)[0].format(p=spec.place))
    return "\n".join(f"{i}. {_capital(text)}." for i, text in enumerate(lines, 1))
