"""Advice on a skill that is valid but could be better.

Owns the rules of taste about the text, each a small function that yields problems, and the table
of all rules. Refuses to own validity (`adapters/skills/validate.py`), the rules about the files
beside the text (`lint_files.py`) and what weights can carry (`capacity.py`). To add a rule: write
the function and add it to `RULES`, with a case in `tests/distill/test_lint.py`.
"""

import re
from collections.abc import Callable, Iterable

from ..adapters.errors import Problem
from ..adapters.skills import MAX_SKILL_LINES, Skill, render_skill, writing_problems
from .lint_files import check_licence, check_references

MAX_BODY_TOKENS = 5000
"""Recommended bound of a body, in tokens of a large model."""
CHARS_PER_TOKEN = 4
"""The usual rule of thumb for English text and a large model's tokenizer."""
MIN_DESCRIPTION_CHARS = 40

_WHEN = re.compile(
    r"\bwhen(ever)?\b|\b(use|used|apply|invoke|activate|trigger\w*|read|run)\b[^.;]{0,80}"
    r"\b(if|for|before|after|while|during|on)\b",
    re.IGNORECASE,
)
_SELF_TALK = re.compile(r"(this|a|the) skill\b|(i|we|you|it)\s", re.IGNORECASE)
_ADVISORY = re.compile(
    r"\b(you (should|could|might|may|can|will|need to|have to)"
    r"|we (should|can|will|need to)|i (will|can|should)"
    r"|the (model|assistant|agent|ai) (should|will|must|can|needs to))\b",
    re.IGNORECASE,
)


def lint_skill(skill: Skill) -> tuple[Problem, ...]:
    """Every piece of advice, in the order of `RULES`; reads reference files beside the skill."""
    return tuple(problem for rule in RULES for problem in rule(skill))


def _description(skill: Skill) -> Iterable[Problem]:
    if not _WHEN.search(skill.description):
        yield Problem(
            "no_use_when",
            "the description does not say when to use the skill",
            "add 'Use when ...': nothing else triggers it",
        )
    if _SELF_TALK.match(skill.description):
        yield Problem(
            "description_voice",
            f"the description opens with {skill.description.split()[0]!r}",
            "use the imperative: what to do, and 'Use when ...'",
        )
    if len(skill.description) < MIN_DESCRIPTION_CHARS:
        yield Problem(
            "description_short",
            f"the description has {len(skill.description)} characters",
            f"say what and when in {MIN_DESCRIPTION_CHARS} or more; routing sees nothing else",
        )


def _imperative(skill: Skill) -> Iterable[Problem]:
    hits = [match[0] for match in _ADVISORY.finditer(skill.body)]
    if hits:
        yield Problem(
            "not_imperative",
            f"the body talks about its reader {len(hits)} time(s), first {hits[0]!r}",
            "use the imperative: 'Do X', 'Never Y'",
        )


def _size(skill: Skill) -> Iterable[Problem]:
    if not skill.body.strip():
        yield Problem("empty_body", "the body is empty", "write the procedure into it")
    num_lines = render_skill(skill).count("\n")
    if num_lines >= MAX_SKILL_LINES:
        yield Problem(
            "long_file",
            f"SKILL.md has about {num_lines} lines; recommended are fewer than {MAX_SKILL_LINES}",
            "move material into reference files",
        )
    about_tokens = len(skill.body) // CHARS_PER_TOKEN
    if about_tokens > MAX_BODY_TOKENS:
        yield Problem(
            "long_body",
            f"the body has about {about_tokens} tokens of a large model; "
            f"recommended are at most {MAX_BODY_TOKENS}",
            "move material into reference files",
        )


def _portable(skill: Skill) -> Iterable[Problem]:
    for message in writing_problems(skill):
        yield Problem("not_portable", message, "other clients may refuse the skill")


RULES: tuple[Callable[[Skill], Iterable[Problem]], ...] = (
    _description,
    _imperative,
    _size,
    _portable,
    check_references,
    check_licence,
)
"""Every rule, in the order of the report."""
