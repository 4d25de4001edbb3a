"""A skill document as a value: atomic facts in sections, and the digest of what it says. Pure.

Owns facts, how they are normalised, and the digest of a set of them. A section is organisation:
which facts stand together is no part of what is said. Refuses to own any layout (`layouts.py`).
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ...adapters.errors import SkillError


@dataclass(frozen=True, order=True)
class Fact:
    """One atomic fact: `key` has `value`, each a piece of one line.

    Raises:
        SkillError: an empty side, a line break, a key with a colon or comma or that begins with
            a bracket: it could not be read back.
    """

    key: str
    value: str

    def __post_init__(self) -> None:
        sides = (self.key, self.value)
        if not all(normalised(side) and len(side.splitlines()) == 1 for side in sides):
            raise SkillError(f"fact {self!r}: expected a key and a value, each on one line")
        if re.search(r"[:,]|^\s*\[", self.key):
            raise SkillError(
                f"fact {self!r}: expected a key without colon and comma that does not begin with "
                "'['; it could not be read back from a line"
            )

    @property
    def normal(self) -> "Fact":
        """The same fact in the form that digests and comparisons use."""
        return Fact(normalised(self.key), normalised(self.value))


def normalised(text: str) -> str:
    """Folded case, single blanks, and no full stop at the end."""
    return " ".join(text.casefold().split()).rstrip(" .")


@dataclass(frozen=True)
class Section:
    """Facts that stand together under a topic, which is one short name."""

    topic: str
    facts: tuple[Fact, ...]

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", self.topic) or not self.facts:
            raise SkillError(
                f"section {self.topic!r} with {len(self.facts)} facts: expected a topic of small "
                "letters, digits and hyphens, and at least one fact"
            )


@dataclass(frozen=True)
class SkillDocument:
    """What a skill says, before anybody decides how it is laid out.

    Raises:
        SkillError: no section, a topic or key twice, or a title of several lines.
    """

    title: str
    sections: tuple[Section, ...]

    def __post_init__(self) -> None:
        _require_once("topic", (section.topic for section in self.sections))
        _require_once("key", (fact.normal.key for fact in self.facts))
        if not self.sections or len(self.title.splitlines()) != 1:
            raise SkillError(
                f"document {self.title!r} with {len(self.sections)} sections: expected a title of "
                "one line and at least one section"
            )

    @property
    def facts(self) -> tuple[Fact, ...]:
        """All facts, in the order of the sections."""
        return tuple(fact for section in self.sections for fact in section.facts)


def fact_digest(facts: Iterable[Fact]) -> str:
    """SHA-256 of the set of normalised facts: the same for every order, layout and case."""
    normal = sorted({(fact.normal.key, fact.normal.value) for fact in facts})
    return hashlib.sha256(json.dumps(normal, ensure_ascii=True).encode()).hexdigest()


def misdealt(document: SkillDocument) -> SkillDocument:
    """The same words in the same layout, wrong: every key has the value of its section's next key.

    A control: whatever still passes with it did not need the facts. A section of one fact stays.
    """
    return SkillDocument(document.title, tuple(_rotated(s) for s in document.sections))


def _rotated(section: Section) -> Section:
    values = [fact.value for fact in section.facts]
    turned = (*values[1:], values[0])
    facts = (Fact(f.key, value) for f, value in zip(section.facts, turned, strict=True))
    return Section(section.topic, tuple(facts))


def _require_once(what: str, names: Iterable[str]) -> None:
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise SkillError(f"{what} {twice[0]!r} stands twice, expected each {what} once")
