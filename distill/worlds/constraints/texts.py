"""Skill texts and requests of the constraint world, in varied wording. Pure but for the generator.

A body states every constraint, in the order of the skill; a request offers letters and speaks of
the topic, and says nothing about any constraint.
"""

import random

from ..string_skills.primitives import Symbols
from ..string_skills.requests import Wording
from ..string_skills.topics import TOPICS
from .predicates import phrase
from .spec import ConstraintSpec

Rng = random.Random

_OPENERS = (
    "Use this skill for the {w}.", "A note on the {w}.", "Keep to every rule below.",
    "The list for the {w} must keep to these rules.", "How to write a list of letters.",
    "Check the list before you give it.",
)  # fmt: skip
_NOTES = (
    "Use only the letters that are given.", "There are no other rules.", "Be exact.",
    "Check every rule at the end.", "Use at most eight letters.", "Any good list will do.",
)  # fmt: skip
_OUTPUTS = (
    "Write the letters with a space between them.", "The final line shows the letters.",
    "Give the letters with spaces only.", "At the end write the letters.",
)  # fmt: skip
_CONNECTORS = ("Then", "Next", "And")

_DESCRIPTIONS = (
    "Handles lists of letters for the {a}. Use when a request is about the {b} or the {c}.",
    "Use when someone speaks of the {a}, the {b} or the {c} and gives letters to use.",
    "Prepares letters for the {a}. Use when the {b} or the {d} is mentioned.",
)
_FRAMES: dict[Wording, tuple[str, ...]] = {
    "seen": (
        "for the {a}, from these letters: {x}", "the {a} and the {b} need a list from: {x}",
        "write a list for the {a} with: {x}", "letters for the {a}: {x}",
        "{a} letters: {x}", "please make a list for the {a} out of: {x}",
    ),
    "unseen": (
        "the {a} is waiting for a list, we have: {x}",
        "could you make one for the {a} and the {b}? {x}",
        "next comes the {a} with the {b}, letters: {x}",
        "the {a} and the {b} came up, use: {x}",
    ),
}  # fmt: skip
_PLAIN = ("{c}. letters: {x}", "from: {x}\n{c}", "here are letters: {x}\n{c}", "{c}: {x}")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def constraint_phrases(spec: ConstraintSpec, rng: Rng) -> list[str]:
    """Each constraint in one of its wordings, in the order of the skill."""
    digits = rng.random() < 0.4
    return [
        phrase(row.kind, row.params, rng.randrange(12), digits=digits) for row in spec.constraints
    ]


def rule_lines(spec: ConstraintSpec, rng: Rng) -> list[str]:
    """The constraints, one line each or one after the other, in one of the layouts."""
    said = constraint_phrases(spec, rng)
    layout = rng.randrange(4)
    if layout == 0:
        return [f"{i}. {_capital(text)}." for i, text in enumerate(said, 1)]
    if layout == 1:
        return [f"- {text}" for text in said]
    if layout == 2:
        return [f"Rule {i}: {text}." for i, text in enumerate(said, 1)]
    first, *rest = said
    return [" ".join([f"{_capital(first)}.", *(f"{rng.choice(_CONNECTORS)} {t}." for t in rest)])]


def skill_body(spec: ConstraintSpec, rng: Rng) -> str:
    """The Markdown body of a `SKILL.md`: heading, opener, rules, output and notes, varied."""
    topic = TOPICS[spec.topic]
    blocks: list[str] = []
    if rng.random() < 0.6:
        blocks.append(f"# {_capital(rng.choice(topic.told))} rules")
    if rng.random() < 0.6:
        blocks.append(rng.choice(_OPENERS).format(w=rng.choice(topic.told)))
    headed = rng.random() < 0.5
    rules = "\n".join(rule_lines(spec, rng))
    blocks.append(f"## Rules\n{rules}" if headed else rules)
    if rng.random() < 0.5:
        output = rng.choice(_OUTPUTS)
        blocks.append(f"## Output\n{output}" if headed else output)
    notes = rng.sample(_NOTES, rng.choice((0, 1, 1, 2)))
    if notes:
        text = "\n".join(f"- {note}" for note in notes) if headed else " ".join(notes)
        blocks.append(f"## Notes\n{text}" if headed else text)
    return "\n\n".join(blocks)


def skill_description(spec: ConstraintSpec, rng: Rng) -> str:
    """When to use the skill, in words of its topic; says nothing about the constraints."""
    a, b, c, d = rng.sample(TOPICS[spec.topic].told, 4)
    return rng.choice(_DESCRIPTIONS).format(a=a, b=b, c=c, d=d)


def request_text(
    spec: ConstraintSpec, letters: Symbols, rng: Rng, *, wording: Wording = "seen"
) -> str:
    """What a user writes; `unseen` wording uses frames and words that no training request has."""
    topic = TOPICS[spec.topic]
    known, new = topic.told + topic.untold[:2], topic.untold[2:]
    a, b = rng.sample(known, 2)
    if wording == "unseen":
        a, b = rng.sample((a, rng.choice(new)), 2)
    return rng.choice(_FRAMES[wording]).format(a=a, b=b, x=" ".join(letters))


def plain_request(spec: ConstraintSpec, letters: Symbols, rng: Rng) -> str:
    """A request that states the constraints itself: it needs no skill."""
    said = ", ".join(constraint_phrases(spec, rng))
    return rng.choice(_PLAIN).format(c=said, x=" ".join(letters))
