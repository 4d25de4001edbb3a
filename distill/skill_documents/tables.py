"""Tables of the world of facts as documents, and requests that they answer.

Owns the way from skills with a checker to a document of the same facts. Another world needs a
function beside this one that reads its facts from its specs.
"""

from collections.abc import Sequence

from ...adapters.skills import Skill
from ..worlds.facts import spec_of
from .document import Fact, Section, SkillDocument


def document_of(tables: Sequence[Skill]) -> SkillDocument:
    """A section for each table, in their order.

    Raises:
        SkillError: a skill of another world, two tables of one class, or none.
    """
    specs = [spec_of(table) for table in tables]
    return SkillDocument(
        "Facts",
        tuple(
            Section(spec.entity_class, tuple(Fact(e, " ".join(code)) for e, code in spec.facts))
            for spec in specs
        ),
    )
