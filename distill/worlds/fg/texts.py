"""Skill texts of the world of functions: definitions in words, in many layouts.

Owns how a `FunctionsSpec` becomes a body and a description. The words for operations are those of
the string world. Pure but for the random generator that the caller passes.
"""

import random

from ..string_skills.primitives import phrase
from ..string_skills.spec import Operation
from .spec import FunctionsSpec

Rng = random.Random

_LINES = (
    "- {f}: {p}", "- {f} ( x ): {p}", "{i}. {f}: {p}", "- {f} means: {p}", "* {f} = {p}",
    "Function {f}: {p}.", "The function {f}: {p}.", "To apply {f}, {p}.", "Let {f} be: {p}.",
    "For {f}: {p}.", "When you see {f}, {p}.",
)  # fmt: skip
NUM_LAYOUTS = len(_LINES) + 2
"""One line for every function, lines mixed, and a table."""

_OPENERS = (
    "Each function changes a list and returns the new one.", "How each function changes a list.",
    "Use this skill for functions on a list.", "These functions are defined here.",
)  # fmt: skip
_NOTES = (
    "Apply the inner function first.", "The inner call comes before the outer one.",
    "Write the list after each function.", "Items are single letters.", "Nothing else changes.",
    "Number the steps in your answer.", "Be exact.",
)  # fmt: skip
_DESCRIPTIONS = (
    "The functions {all} are defined here. Use when a request calls one of them on a list.",
    "Use when a request has {any} and a list of letters.",
    "What the functions {all} do to a list. Use when a request has one of them.",
)


def _said(template: str, name: str, text: str, index: int) -> str:
    return template.format(f=name, p=text, i=index)


def definition_lines(spec: FunctionsSpec, layout: int, rng: Rng) -> str:
    """The definitions in layout number `layout`, which counts modulo `NUM_LAYOUTS`."""
    layout %= NUM_LAYOUTS
    digits = rng.random() < 0.3
    rows = [
        (name, phrase(op.kind, op.params, rng.randrange(12), digits=digits))
        for name, op in spec.functions
    ]
    if layout == len(_LINES):
        return "\n".join(["| function | what it does |", *(f"| {f} | {p} |" for f, p in rows)])
    mixed = layout > len(_LINES)
    return "\n".join(
        _said(rng.choice(_LINES) if mixed else _LINES[layout], name, text, i)
        for i, (name, text) in enumerate(rows, 1)
    )


def skill_body(spec: FunctionsSpec, rng: Rng) -> str:
    """The Markdown body of a `SKILL.md`: heading, opener, definitions, notes, varied."""
    blocks = []
    if rng.random() < 0.6:
        blocks.append(rng.choice(("# Functions", "## Functions", "# Functions on a list")))
    if rng.random() < 0.5:
        blocks.append(rng.choice(_OPENERS))
    blocks.append(definition_lines(spec, rng.randrange(NUM_LAYOUTS), rng))
    notes = rng.sample(_NOTES, rng.choice((0, 1, 1, 2)))
    if notes:
        blocks.append(" ".join(notes))
    return "\n\n".join(blocks)


def skill_description(spec: FunctionsSpec, rng: Rng) -> str:
    """When to use the skill: the functions' names, and nothing that they do."""
    names = [name for name, _ in spec.functions]
    every, some = " and ".join(names), " or ".join(names)
    return rng.choice(_DESCRIPTIONS).format(all=every, any=some)


def authored_body(functions: tuple[tuple[str, Operation], ...]) -> str:
    """The text that an author is taught to write: always the first wording, one layout."""
    return "\n".join(
        _said(_LINES[0], name, phrase(op.kind, op.params, 0), 0) for name, op in functions
    )
