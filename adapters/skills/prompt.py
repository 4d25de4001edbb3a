"""How a skill's text enters a conversation. Pure.

Owns the one rule for the system message and the catalogue block of the reference implementation.
Refuses to own chat templates and the choice which skill to use. Another rendering is another
function here, never a variant inside a caller.
"""

import html
from collections.abc import Iterable

from .model import Skill


def system_prompt(skill: Skill, system: str | None = None) -> str:
    """The system message of a conversation that uses `skill` as text.

    Training, evaluation and the gateway all call this, so a text means the same everywhere.

    Args:
        skill: its body is used, stripped; frontmatter and resources are not.
        system: a system text that the conversation already has; it keeps the first place.

    Returns:
        The body; or `system`, one blank line, the body. Where one side is blank, the other alone.
    """
    parts = ((system or "").rstrip(), skill.body.strip())
    return "\n\n".join(part for part in parts if part)


def to_prompt(skills: Iterable[Skill]) -> str:
    """The catalogue: name, description and location of each skill, as an XML-like block.

    The tier that an agent sees at session start. An empty list gives an empty block; a caller
    that wants no block at all for no skills leaves it out itself. A skill that was never on disk
    has no location.

    Source: `skills_ref.prompt.to_prompt`, same lines in the same order.
    Departs: the location is escaped like the rest.
    """
    lines = ["<available_skills>"]
    for skill in skills:
        lines += ["<skill>", *_tag("name", skill.name), *_tag("description", skill.description)]
        if skill.path is not None:
            lines += _tag("location", str(skill.path / skill.file))
        lines.append("</skill>")
    return "\n".join([*lines, "</available_skills>"])


def _tag(tag: str, text: str) -> list[str]:
    return [f"<{tag}>", html.escape(text), f"</{tag}>"]
