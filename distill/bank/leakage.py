"""Answers that reappear in a skill's text. Pure.

Owns the check that a procedure does not carry the answers it will be judged by. Refuses to own
which roles of a teacher may see an answer (`teachers/roles.py`).
"""

import re
from collections.abc import Iterable

from ...adapters.errors import Problem
from .types import SkillText, shown_text

MIN_WORDS = 3
"""Shorter answers stand in many texts by chance, and are not looked for."""

_PIECE = re.compile(r"\w+|[^\w\s]")


def leaked_answers(
    text: SkillText, answers: Iterable[str], *, min_words: int = MIN_WORDS
) -> tuple[Problem, ...]:
    """One problem for each answer whose words stand in the text in this order, side by side.

    Args:
        answers: expected answers of the tasks that the skill will be judged by.
        min_words: answers of fewer words and marks are passed over.
    """
    whole = _folded("\n".join([shown_text(text), *text.files.values()]))
    found: list[Problem] = []
    for answer in dict.fromkeys(answers):
        folded = _folded(answer)
        if len(folded.split()) >= min_words and f" {folded} " in f" {whole} ":
            found.append(
                Problem(
                    "leaked_answer",
                    f"{text.name} holds the answer {answer[:80]!r}",
                    "write the procedure, not its results",
                )
            )
    return tuple(found)


def _folded(text: str) -> str:
    return " ".join(_PIECE.findall(text.casefold()))
