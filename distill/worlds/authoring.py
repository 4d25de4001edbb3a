"""How a skill is asked for: solved examples, then the words that ask for its text. Pure.

Owns the wording, which every world shares, so that a base learns one manner of being asked. The
text that answers is each world's own.
"""

import random
from collections.abc import Sequence

NUM_EXAMPLES = 3
"""Solved examples of one skill that an author is shown."""

_ASKS = (
    "write the skill.", "write the skill for this task.", "write a skill that gives this output.",
    "now write the instructions.", "give the procedure as a skill.",
    "what is the skill? write it.",
)  # fmt: skip


def author_request(examples: Sequence[tuple[str, str]], rng: random.Random) -> str:
    """What a user writes who wants a skill: request and worked answer of each example, then ask.

    Args:
        examples: (request, worked answer) pairs of one skill, usually `NUM_EXAMPLES`.
    """
    solved = [
        f"example {index}\n{request}\nanswer\n{answer}"
        for index, (request, answer) in enumerate(examples, 1)
    ]
    return "\n\n".join([*solved, rng.choice(_ASKS)])
