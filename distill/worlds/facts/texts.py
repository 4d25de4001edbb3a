"""Skill texts of the world of facts: one table in many layouts; and the facts as plain sentences.

Owns how a `FactsSpec` becomes a body, a description and documents. Pure but for the random
generator that the caller passes. A layout says every fact; none says what will be asked.
"""

import random

from .manipulations import Fact
from .spec import FactsSpec

Rng = random.Random

SENTENCES = (
    "The code of the {e} is {k}.", "The {e} has the code {k}.", "The code {k} belongs to the {e}.",
    "For the {e} the code is {k}.", "The code {k} stands for the {e}.", "The {e} maps to {k}.",
    "Remember {k} as the code of the {e}.",
)  # fmt: skip
_LINES = (
    "- {e}: {k}", "- the {e}: {k}", "- {e} = {k}", "{i}. {e}: {k}", "- {e} - {k}", "* {e} is {k}",
    "- {e} has {k}",
)  # fmt: skip
NUM_LAYOUTS = len(_LINES) + len(SENTENCES) + 2
"""A list or one sentence for every fact, sentences mixed, and a table."""

_OPENERS = (
    "Use this list for every {c} code.", "These are the known entries.", "Look up the code here.",
    "Each one has a code.", "How to find the code.", "Keep to these entries.",
)  # fmt: skip
_NOTES = (
    "Show the code before the answer.", "Nothing else is known.", "Be exact.",
    "The order in a code is exact.",
    "Letters and each number belong to the code.",
)  # fmt: skip
_DESCRIPTIONS = (
    "Has the code of the {all}. Use when one of these comes up.",
    "Use when a request is about the {all}.",
    "Find here which code belongs to the {all}.",
)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _said(template: str, fact: Fact, index: int) -> str:
    return template.format(e=fact[0], k=" ".join(fact[1]), i=index)


def fact_lines(spec: FactsSpec, layout: int, rng: Rng) -> str:
    """The table in layout number `layout`, which counts modulo `NUM_LAYOUTS`."""
    layout %= NUM_LAYOUTS
    numbered = list(enumerate(spec.facts, 1))
    if layout < len(_LINES):
        return "\n".join(_said(_LINES[layout], fact, i) for i, fact in numbered)
    layout -= len(_LINES)
    if layout == len(SENTENCES) + 1:
        rows = [_said("| {e} | {k} |", fact, i) for i, fact in numbered]
        return "\n".join(["| name | code |", *rows])
    mixed = layout == len(SENTENCES)
    templates = [rng.choice(SENTENCES) if mixed else SENTENCES[layout] for _ in numbered]
    mark = rng.choice(("\n", " "))
    return mark.join(_said(t, fact, i) for t, (i, fact) in zip(templates, numbered, strict=True))


def skill_body(spec: FactsSpec, rng: Rng) -> str:
    """The Markdown body of a `SKILL.md`: heading, opener, the table, notes, varied."""
    blocks = []
    if rng.random() < 0.6:
        blocks.append(f"# {_capital(spec.entity_class)} {rng.choice(('list', 'table', 'facts'))}")
    if rng.random() < 0.5:
        blocks.append(rng.choice(_OPENERS).format(c=spec.entity_class))
    blocks.append(fact_lines(spec, rng.randrange(NUM_LAYOUTS), rng))
    notes = rng.sample(_NOTES, rng.choice((0, 0, 1, 2)))
    if notes:
        blocks.append(" ".join(notes))
    return "\n\n".join(blocks)


def skill_description(spec: FactsSpec, rng: Rng) -> str:
    """When to use the skill: its entities, without any code."""
    *others, last = [entity for entity, _ in spec.facts]
    listed = f"{', the '.join(others)} or the {last}"
    return rng.choice(_DESCRIPTIONS).format(all=listed)


def authored_body(facts: tuple[Fact, ...]) -> str:
    """The text that an author is taught to write: always one layout."""
    return "\n".join(_said(_LINES[0], fact, i) for i, fact in enumerate(facts, 1))


def fact_documents(spec: FactsSpec) -> tuple[str, ...]:
    """Every fact in every sentence, one document each: training text that is no skill."""
    return tuple(_said(text, fact, 0) for fact in spec.facts for text in SENTENCES)
