"""Skill texts of the string world: one procedure in many wordings and layouts.

Owns how a `SkillSpec` becomes the body and the description of a `SKILL.md`. Pure but for the
random generator that the caller passes. Wordings differ in order, headings, step marks, fillers
and phrases; the information is always complete. Bodies stay below 200 tokens.
"""

import random

from .formats import FORMATS
from .primitives import PRIMITIVES, parameter_values, phrase
from .spec import Operation, SkillSpec
from .topics import TOPICS

Rng = random.Random

_OPENERS = (
    "Use this skill for the {w} .", "This is how we handle the {w} list.", "A note on the {w} .",
    "Work through the steps in order.", "Follow the steps below.", "How to prepare the list.",
)  # fmt: skip
_NOTES = (
    "Write down the list after each step.", "Show the list after every step.",
    "Do not skip a step.", "Keep the order unless a step changes it.", "Items are single letters.",
    "Number the steps in your answer.", "Nothing else changes.", "Be exact.",
)  # fmt: skip
_FORMAT_LINES = (
    "Write the final list {f}.", "The final line shows the list {f}.", "Give the result {f}.",
    "At the end write the list {f}.",
)  # fmt: skip
_CONNECTORS = ("First", "Then", "Next", "After that", "Then", "At last")

_DESCRIPTIONS = (
    "Prepares the list for the {a}. Use when a request is about the {b} or the {c}.",
    "Use when someone speaks of the {a}, the {b} or the {c} and gives a list of items.",
    "Handles lists that belong to the {a}. Use when the {b} or the {d} is mentioned.",
    "Use when a list has to do with the {a}, the {b}, the {c} or the {d}.",
)  # fmt: skip


def random_operations(rng: Rng, num_steps: int) -> tuple[Operation, ...]:
    """Draw operations: at most one grows the list, one shrinks it, no kind twice running."""
    kinds: list[str] = []
    while len(kinds) < num_steps:
        kind = rng.choice(tuple(PRIMITIVES))
        row = PRIMITIVES[kind]
        grown = sum(PRIMITIVES[k].grows for k in kinds)
        shrunk = sum(PRIMITIVES[k].shrinks for k in kinds)
        if kind in kinds[-1:] or (row.grows and grown) or (row.shrinks and shrunk >= 1):
            continue
        kinds.append(kind)
    return tuple(Operation(kind, rng.choice(parameter_values(kind))) for kind in kinds)


def random_spec(rng: Rng, num_steps: int, *, topic: str | None = None) -> SkillSpec:
    """Draw a skill of `num_steps` operations."""
    return SkillSpec(
        random_operations(rng, num_steps),
        rng.choice(tuple(FORMATS)),
        topic or rng.choice(tuple(TOPICS)),
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def step_lines(spec: SkillSpec, rng: Rng) -> list[str]:
    """The procedure, one line a step, in one of the layouts."""
    digits = rng.random() < 0.3
    phrases = [
        phrase(op.kind, op.params, rng.randrange(12), digits=digits) for op in spec.operations
    ]
    layout = rng.randrange(4)
    if layout == 0:
        return [f"{i}. {_capital(text)}." for i, text in enumerate(phrases, 1)]
    if layout == 1:
        return [f"- {text}" for text in phrases]
    if layout == 2:
        return [f"Step {i}: {text}." for i, text in enumerate(phrases, 1)]
    if len(phrases) == 1:
        return [f"{_capital(phrases[0])}."]
    marks = [_CONNECTORS[0], *(rng.choice(_CONNECTORS[1:5]) for _ in phrases[1:])]
    return [" ".join(f"{mark} {text}." for mark, text in zip(marks, phrases, strict=True))]


def skill_body(spec: SkillSpec, rng: Rng) -> str:
    """The Markdown body of a `SKILL.md`: heading, opener, steps, format and notes, varied."""
    topic = TOPICS[spec.topic]
    form = f"{rng.choice(_FORMAT_LINES)}".format(f=rng.choice(FORMATS[spec.format].wordings))
    steps = "\n".join(step_lines(spec, rng))
    blocks: list[str] = []
    if rng.random() < 0.6:
        heading = rng.choice((_capital(spec.topic), _capital(rng.choice(topic.told))))
        blocks.append(f"# {heading} list")
    if rng.random() < 0.6:
        blocks.append(rng.choice(_OPENERS).format(w=rng.choice(topic.told)).replace(" .", "."))
    headed = rng.random() < 0.5
    blocks.append(f"## Steps\n{steps}" if headed else steps)
    blocks.append(f"## Output\n{form}" if headed and rng.random() < 0.6 else form)
    notes = rng.sample(_NOTES, rng.choice((0, 1, 1, 2)))
    if notes:
        text = "\n".join(f"- {note}" for note in notes) if headed else " ".join(notes)
        blocks.append(f"## Notes\n{text}" if headed else text)
    return "\n\n".join(blocks)


def skill_description(spec: SkillSpec, rng: Rng) -> str:
    """When to use the skill, in words of its topic; says nothing about the procedure."""
    a, b, c, d = rng.sample(TOPICS[spec.topic].told, 4)
    return rng.choice(_DESCRIPTIONS).format(a=a, b=b, c=c, d=d)


def irrelevant_body(rng: Rng, num_words: int) -> str:
    """A text of about `num_words` words without any procedure: the control for length alone."""
    topic = TOPICS[rng.choice(tuple(TOPICS))]
    lines: list[str] = [f"# {_capital(topic.slug)}"]
    while sum(len(line.split()) for line in lines) < num_words:
        one, two, three = rng.sample(topic.told + topic.untold, 3)
        lines.append(rng.choice(_CHATTER).format(a=one, b=two, c=three))
    return "\n".join(lines)


_CHATTER = (
    "The {a} was here before the {b} came.", "People like the {a} and the {b}.",
    "Every {a} needs the {b}, but no {c}.", "We saw the {a} near the {b} this morning.",
    "Nobody knows who brought the {c}.", "No {a} is like the {b}.",
)  # fmt: skip

PLAIN_REQUESTS = ("{p}: {x}", "{p}, please: {x}", "here is a list: {x}\n{p}", "items: {x}\n{p}")


def plain_request(operation: Operation, items: tuple[str, ...], rng: Rng) -> str:
    """A request that names the operation itself: a base task that needs no skill."""
    text = phrase(operation.kind, operation.params, rng.randrange(12))
    return rng.choice(PLAIN_REQUESTS).format(p=text, x=" ".join(items))
