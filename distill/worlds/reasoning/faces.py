"""How a question is shown: as the package words it, or in few words that the tiny base knows. Pure.

A short face loses nothing: `expand` gives the original question back, character by character. To
add one, add a row to `FACES`; every word must be one token of the shipped base, and guessing the
commonest answer must rarely pass (so no `gcd`, which is 1 for most numbers).
"""

from dataclasses import dataclass

SLOT = "{x}"


@dataclass(frozen=True)
class Face:
    """Original and short wording of one task around what varies, and how a skill says to work.

    `spelled`: words are written letter by letter, in requests and in answers.
    """

    original: str
    short: str
    manner: str
    spelled: bool = False

    def shorten(self, question: str) -> str:
        """The short wording of a question.

        Raises:
            ValueError: the question is worded otherwise than the face knows.
        """
        varies = _between(question, self.original)
        return self.short.replace(SLOT, " ".join(varies) if self.spelled else varies)

    def expand(self, short: str) -> str:
        """The original wording of a short one; raises ValueError as `shorten` does."""
        varies = _between(short, self.short)
        return self.original.replace(SLOT, varies.replace(" ", "") if self.spelled else varies)

    def shorten_answer(self, answer: str) -> str:
        return " ".join(answer) if self.spelled else answer

    def expand_answer(self, short: str) -> str:
        return short.replace(" ", "") if self.spelled else short


def _between(text: str, wording: str) -> str:
    before, after = wording.split(SLOT)
    if not (text.startswith(before) and text.endswith(after)):
        raise ValueError(f"{text[:200]!r} is worded otherwise than {wording!r}")
    return text[len(before) : len(text) - len(after)]


FACES = {
    "chain_sum": Face(
        "State the final answer to the following arithmetic problem: {x} =",
        "{x} =",
        "Go from left to right. Add or subtract each number.",
    ),
    "basic_arithmetic": Face(
        "Calculate {x}.",
        "what is {x}?",
        "First do what is in brackets, then * and /, then + and - from left to right.",
    ),
    "spell_backward": Face(
        "Spell this word backward (example: sun -> nus): {x}",
        "reverse the word: {x}",
        "Read the letters from back to front. Write them with a space between them.",
        spelled=True,
    ),
    "lcm": Face(
        "Find the Least Common Multiple (LCM) of these numbers: {x}",
        "what is the minimum number that all of {x} divide?",
        "Multiply the greater number by one, by two, by three. Take the first that the other "
        "can divide.",
    ),
}
"""Tasks with a short face; the others are shown as the package words them."""
