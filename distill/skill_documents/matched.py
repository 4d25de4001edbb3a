"""One document in matched layouts, as arms of an experiment ask with it. Pure.

Owns which layouts stand side by side, and that they were checked. `shuffled` is the control: the
progressive layout with every value at another key. To add a layout to every experiment: its row in
`matched`, before the check.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ..evaluation.types import Arm
from .document import SkillDocument, misdealt
from .layers import Trail, wanted_facts
from .layouts import Rendering, chunked, flat, progressive, require_same_facts
from .reader import Count, read, to_be_read

SHUFFLED = "shuffled"
LAYOUTS: Mapping[str, str] = {
    "flat": "All facts in the prompt.",
    "progressive": "A reader opens what the root says the request needs; it stands in the prompt.",
    "chunked": "The same, from lists dealt by hash under a root that does not say what they hold.",
    SHUFFLED: "Progressive, with the values at other keys: the same words, none of the facts.",
}
"""Layouts by name, each with a sentence for readers of a report."""


@dataclass(frozen=True)
class Matched:
    """A document and its layouts; `digest` is the one that all but `shuffled` share."""

    document: SkillDocument
    layouts: Mapping[str, Rendering]
    digest: str

    @property
    def says(self) -> str:
        """How much it says, for a report."""
        checked = ", ".join(name for name in self.layouts if name != SHUFFLED)
        return f"{len(self.document.facts)} facts, digest {self.digest[:12]} in {checked}"

    def system(self, layout: str, *, budget: int) -> str:
        """The system text under which a `ReadingPolicy` is asked."""
        rendering = self.layouts[layout]
        return to_be_read(rendering, budget=budget) if rendering.resources else rendering.root

    def trail(self, layout: str | None, request: str, *, budget: int, count: Count) -> Trail:
        """How a request was read in a layout; None: without any text."""
        wanted = wanted_facts(self.document, request)
        if layout is None:
            return Trail(request, wanted)
        reading = read(self.layouts[layout], request, budget=budget, count=count)
        return Trail(request, wanted, reading.actions, reading.prompt_tokens)

    def topics(self, request: str) -> tuple[str, ...]:
        """The sections that a request speaks of."""
        wanted = wanted_facts(self.document, request)
        return tuple(
            s.topic for s in self.document.sections if wanted & {f.normal for f in s.facts}
        )


def matched(document: SkillDocument) -> Matched:
    """The layouts of a document, with as many chunks as it has sections.

    Raises:
        SkillError: a layout says more or less than the document.
    """
    layouts = {
        "flat": flat(document),
        "progressive": progressive(document),
        "chunked": chunked(document, len(document.sections)),
    }
    digest = require_same_facts(document, layouts)
    return Matched(document, {**layouts, SHUFFLED: progressive(misdealt(document))}, digest)


def layout_arms(documents: Mapping[str, Matched], *, budget: int) -> list[Arm]:
    """An arm for each layout.

    Args:
        documents: cluster -> the document that its items are asked about.
        budget: tokens of resources that the reader may open for one request.
    """
    return [
        Arm(name, about, systems={c: d.system(name, budget=budget) for c, d in documents.items()})
        for name, about in LAYOUTS.items()
    ]
