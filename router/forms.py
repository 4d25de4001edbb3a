"""In which form a skill enters an answer, by the evidence for it on this base. Pure.

The rule, first match wins:
    1. the adapter met its criterion on this base          -> adapter
    2. nothing was measured on this base                   -> text
    3. the text was measured to help, or was not measured  -> text
    4. it was measured not to help                         -> none
A skill without a text cannot go in as one and becomes `none` in lines 2 and 3: an adapter that
nobody judged on this base is never chosen by `auto`, only by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from .types import Form


class Evidence(BaseModel):
    """What one evaluation found out about a skill; kept as an attestation of its version."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    type: Literal["routing-evidence"] = "routing-evidence"
    base: str
    """Family digest of the base it was measured on."""
    adapter_meets: bool | None = None
    """Whether the adapter met the criterion; None: not measured."""
    text_helps: bool | None = None
    """Whether the text beat no skill, its interval above 0; None: not measured."""


@dataclass(frozen=True, slots=True)
class Formed:
    """A form and the line of the rule that led to it."""

    form: Form
    reason: str


def choose_form(
    evidence: Sequence[Evidence],
    *,
    base: str,
    has_adapter: bool,
    has_text: bool,
) -> Formed:
    """Apply the rule of this module.

    Args:
        evidence: oldest first, of any base; of those on this base the newest counts.
        base: family digest of the base that is served.
        has_adapter: whether there is a version to load on this base.
        has_text: whether there is a skill text.
    """
    here = [item for item in evidence if item.base == base]
    if not here:
        if has_text:
            return Formed("text", "nothing was measured on this base")
        return Formed("none", "nothing was measured on this base, and there is no text")
    newest = here[-1]
    if newest.adapter_meets and has_adapter:
        return Formed("adapter", "the adapter met its criterion on this base")
    if newest.text_helps is False:
        return Formed("none", "neither adapter nor text was shown to help this base")
    if not has_text:
        return Formed("none", "the adapter did not meet its criterion, and there is no text")
    helped = "helps" if newest.text_helps else "was not measured on"
    return Formed("text", f"the text {helped} this base, the adapter was not shown to")
