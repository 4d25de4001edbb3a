"""What a name came to, for one request and in a listing. Values.

Owns these two. Refuses to own how a name is looked up (`catalog.py`, `resolve.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ....adapters.skills import Skill
from ....adapters.store.types import Version
from ....router.types import Form
from ..residency.servable import Servable


@dataclass(frozen=True)
class Found:
    """What one term came to. `skill` is set for form text, `version` wherever one is stored, and
    `step` for a step of a training run, which the catalog does not know."""

    id: str
    form: Form
    version: Version | None = None
    skill: Skill | None = None
    step: Servable | None = None

    @cached_property
    def template_arguments(self) -> Mapping[str, object]:
        """Defaults for the chat template, from the card of the version."""
        return {} if self.version is None else self.version.card.frame.template_args

    @property
    def version_label(self) -> str:
        """For a header: the version's number, or the digest of a text that has none."""
        if self.version is not None:
            return str(self.version.number)
        if self.step is not None:
            return self.step.label
        return (self.skill.digest or "")[:12] if self.skill is not None else ""


@dataclass(frozen=True)
class Listed:
    """One name as /v1/models shows it; `found` is None where the name cannot be served bare."""

    id: str
    found: Found | None
    versions: tuple[int, ...] = ()
    aliases: tuple[tuple[str, int], ...] = ()
