"""Layouts of one document: flat, progressive, in chunks; and reading the facts back. Pure.

Owns the renderers, the two kinds of line they write (a fact, a pointer to a resource) and the
parser of these lines. What a layout says is never taken on trust: `read_back` reads the texts, as
far as the root leads to them, so a renderer that drops a fact or a pointer is caught. To add a
layout: a function from a document to a `Rendering`.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ...adapters.errors import SkillError
from .document import Fact, Section, SkillDocument, fact_digest, normalised

_FACT = re.compile(r"- (?!\[)([^:\n]+): (.+)")
_POINTER = re.compile(r"- \[([^\]\n]+)\](?:: (.+))?")
_FILE = re.compile(r"^=== (\S+)\n", re.MULTILINE)


@dataclass(frozen=True)
class Rendering:
    """The texts of one layout: a root that is always read, and resources that may be opened."""

    root: str
    resources: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All of it as one text, which `rendering_of` reads back."""
        return "".join(
            [f"{self.root}\n", *(f"=== {name}\n{text}\n" for name, text in self.resources.items())]
        )


def rendering_of(text: str) -> Rendering:
    """A rendering from its `text`."""
    root, *rest = _FILE.split(text)
    texts = (body.removesuffix("\n") for body in rest[1::2])
    resources = dict(zip(rest[::2], texts, strict=True))
    return Rendering(root.removesuffix("\n"), resources)


def flat(document: SkillDocument) -> Rendering:
    """Everything in the root, section after section."""
    return Rendering("\n\n".join([f"# {document.title}", *map(section_text, document.sections)]))


def progressive(document: SkillDocument) -> Rendering:
    """A resource for each section; the root says which keys each of them holds."""
    pointers = (
        f"- [{s.topic}]: {', '.join(fact.key for fact in s.facts)}" for s in document.sections
    )
    return Rendering(
        _root(document, pointers), {s.topic: section_text(s) for s in document.sections}
    )


def chunked(document: SkillDocument, num_chunks: int) -> Rendering:
    """Facts dealt to resources by the hash of their key; the root names resources, not keys.

    A chunk that no fact falls into is left out.

    Raises:
        SkillError: fewer than one chunk.
    """
    if num_chunks < 1:
        raise SkillError(f"{num_chunks} chunks, expected at least 1")
    dealt: dict[int, list[Fact]] = {}
    for fact in sorted(document.facts, key=_hashed):
        dealt.setdefault(_hashed(fact) % num_chunks, []).append(fact)
    texts = {
        f"list-{number + 1}": section_text(Section("list", tuple(facts)))
        for number, facts in sorted(dealt.items())
    }
    return Rendering(_root(document, (f"- [{name}]" for name in texts)), texts)


def section_text(section: Section) -> str:
    """A heading and a line for each fact."""
    lines = (f"- {fact.key}: {fact.value}" for fact in section.facts)
    return "\n".join([f"# {section.topic.capitalize()} list", "", *lines])


def facts_in(text: str) -> tuple[Fact, ...]:
    """The facts that a text says, a line each."""
    found = (_FACT.fullmatch(line.rstrip()) for line in text.splitlines())
    return tuple(Fact(*match.groups()) for match in found if match)


def pointers_in(text: str) -> dict[str, tuple[str, ...]]:
    """Resource -> the keys that a text says it holds; none where it only names the resource."""
    found = (_POINTER.fullmatch(line.rstrip()) for line in text.splitlines())
    return {
        match[1]: tuple(key.strip() for key in (match[2] or "").split(",") if key.strip())
        for match in found
        if match
    }


def read_back(rendering: Rendering) -> frozenset[Fact]:
    """The normalised facts of the root and of every resource that the root points at.

    Raises:
        SkillError: a pointer to nothing, a pointer that promises a key which its resource lacks,
            or two values for one key.
    """
    said = list(facts_in(rendering.root))
    for name, keys in pointers_in(rendering.root).items():
        if name not in rendering.resources:
            raise SkillError(
                f"the root points at {name!r}, expected one of {', '.join(rendering.resources)}"
            )
        held = facts_in(rendering.resources[name])
        missing = {normalised(key) for key in keys} - {fact.normal.key for fact in held}
        if missing:
            raise SkillError(f"resource {name!r} lacks {sorted(missing)}, which the root promises")
        said += held
    facts = frozenset(fact.normal for fact in said)
    if len({fact.key for fact in facts}) < len(facts):
        raise SkillError("two values are said for one key, expected one for each")
    return facts


def require_same_facts(document: SkillDocument, renderings: Mapping[str, Rendering]) -> str:
    """The document's fact digest, once every rendering was read back and has the same one.

    Raises:
        SkillError: a rendering says more or less; the message names a fact.
    """
    wanted = {fact.normal for fact in document.facts}
    for name, rendering in renderings.items():
        said = read_back(rendering)
        if said != wanted:
            differs = min(said ^ wanted)
            how = "lacks" if differs in wanted else "adds"
            raise SkillError(
                f"layout {name!r} {how} {differs!r} ({len(said)} facts, expected the document's "
                f"{len(wanted)}): arms of one experiment must say the same"
            )
    return fact_digest(wanted)


def _root(document: SkillDocument, pointers: Iterable[str]) -> str:
    return "\n".join([f"# {document.title}", "", "Look up the code here.", "", *pointers])


def _hashed(fact: Fact) -> int:
    return int.from_bytes(hashlib.sha256(normalised(fact.key).encode()).digest()[:8])
