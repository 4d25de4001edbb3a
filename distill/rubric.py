"""A meta-skill for extraction as a rubric: features of a skill's text, without any model. Pure.

Owns the meta-skill's words, which go to a teacher as `guide` of the role `extract`, and the same
demands as numbers, by which drafts are chosen. Refuses to own advice to people (`lint.py`) and the
question whether a text helps, which only its gain answers (`evaluation/lifecycle.py`).

    total = specific + supported + (mechanisms + risks) / 4 - copied

The weights were set before any run: mechanisms and risks are said or not, and most texts of our
worlds say neither, so they count little.

Source: the three features of SkillLens, arXiv:2605.23899. Departs: the paper's rubric is read by a
model; `supported` and `copied` hold the text against the examples, which the paper does not.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .bank.leakage import leaked_answers
from .bank.types import SkillText

META_SKILL = """\
# Write a skill from solved examples

1. Say how it fails: the cause, what triggers it, what to do instead.
2. Write steps that can be carried out as they stand. Never write that something should, may or
   might be done.
3. List the actions that must not be taken.
4. State what all examples support, and copy no answer of an example.
"""

Solved = Sequence[tuple[str, str]]
"""(request, answer) pairs that an author was shown."""

_HEDGES = re.compile(
    r"\b(consider|maybe|perhaps|possibly|may|might|could|should|would|try|some|usually|often"
    r"|sometimes|generally|appropriate\w*|proper\w*|careful\w*|good|as needed|if possible)\b",
    re.IGNORECASE,
)
_MECHANISMS = re.compile(
    r"\b(because|if|when|whenever|unless|otherwise|instead|fails?|failure|wrong)\b", re.IGNORECASE
)
_RISKS = re.compile(
    r"\b(do not|don't|must not|never|avoid|nothing else|no other|only)\b", re.IGNORECASE
)
_MARK = re.compile(r"^\s*(?:[-*|]|\d+[.)]|(?:step|rule) \d+:)\s*", re.IGNORECASE)
_LITERAL = re.compile(r"\b(?:[b-hj-z]|\d+)\b")
"""A symbol that an example can show or not: a letter alone (not `a` or `i`) or a number."""


@dataclass(frozen=True, slots=True)
class RubricScore:
    """Each feature in [0, 1]; more is better but for `copied`."""

    mechanisms: float
    """1 where a statement names a condition or a failure."""
    specific: float
    """Share of statements that are neither hedged nor said twice."""
    risks: float
    """1 where a statement says what must not be done."""
    supported: float
    """Mean over the letters and numbers named: the share of examples that show them."""
    copied: float
    """Share of examples whose final answer stands in the text."""

    @property
    def total(self) -> float:
        said = (self.mechanisms + self.risks) / 4
        return self.specific + self.supported + said - self.copied


def rubric(text: str, solved: Solved) -> RubricScore:
    """What the meta-skill says about a text that was made from these examples.

    Raises:
        ValueError: no examples.
    """
    if not solved:
        raise ValueError("a text is held against the examples it was made from, got none")
    said = statements(text)
    return RubricScore(
        mechanisms=float(any(_MECHANISMS.search(one) for one in said)),
        specific=len({one for one in said if not _HEDGES.search(one)}) / max(1, len(said)),
        risks=float(any(_RISKS.search(one) for one in said)),
        supported=_supported(said, solved),
        copied=_copied(text, solved),
    )


def statements(text: str) -> list[str]:
    """The sentences of a text in lower case, without headings and marks of lists."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    bare = [_MARK.sub("", line).strip().lower() for line in lines]
    return [one.rstrip(".") for line in bare for one in re.split(r"(?<=[.!?])\s+", line) if one]


def _supported(said: Sequence[str], solved: Solved) -> float:
    """1 where the text names nothing that an example could show."""
    named = {literal for one in said for literal in _LITERAL.findall(one)}
    if not named:
        return 1.0
    shown = [set(_LITERAL.findall(f"{request}\n{answer}".lower())) for request, answer in solved]
    return sum(name in seen for name in named for seen in shown) / (len(named) * len(shown))


def _copied(text: str, solved: Solved) -> float:
    if not text.strip():
        return 0.0
    whole = SkillText(name="draft", description="draft", body=text)
    found = [leaked_answers(whole, [final_of(answer)]) for _, answer in solved]
    return sum(bool(problems) for problems in found) / len(solved)


def final_of(answer: str) -> str:
    """The last line of a worked answer, without its mark."""
    return answer.strip().rpartition("\n")[2].removeprefix("final:").strip()
