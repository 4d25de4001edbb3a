"""What weights can carry of a skill, and what stays outside them.

An adapter replaces the body of SKILL.md: the procedure. Files, permissions and the running of
tools stay with the agent. Owns that division and the token counts behind it. Refuses to judge
whether a base can follow the body: `train` measures that.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ..adapters.skills import Skill
from .references import ABOUT_THE_SKILL
from .token_meter import MAX_BYTE_SHARE, TINY_BASE_LABEL, TokenMeter

What = Literal[
    "procedure", "scripts", "references", "assets", "files", "allowed-tools", "tool use",
    "environment",
]  # fmt: skip

_FOLDERS: dict[str, What] = {
    "scripts": "scripts",
    "bin": "scripts",
    "references": "references",
    "reference": "references",
    "docs": "references",
    "assets": "assets",
    "templates": "assets",
    "themes": "assets",
}
_SUFFIXES: dict[str, What] = {
    **dict.fromkeys((".py", ".sh", ".js", ".ts", ".rb", ".pl", ".ps1", ".lua"), "scripts"),
    **dict.fromkeys((".md", ".txt", ".rst"), "references"),
}
_TOOL_USE = re.compile(
    r"^(```|~~~)[ \t]*(bash|sh|shell|zsh|console|powershell|python)\b"
    r"|\b(run|execute|call|invoke)\b[^.\n]{0,60}\b(script|command|tool|function|api)s?\b",
    re.IGNORECASE | re.MULTILINE,
)
_REASONS: dict[What, str] = {
    "scripts": "code is run, not remembered: the agent keeps the files and something to run them",
    "references": "text outside the body: move what is always needed into the body",
    "assets": "data to copy or fill in: the agent keeps the files",
    "files": "not part of the body: the agent keeps the files",
}


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Part(_Frozen):
    """One part of a skill and where it ends up."""

    what: What
    carried: bool
    """True: weights can carry it. False: it stays with the agent."""
    detail: str
    files: tuple[str, ...] = ()
    """The files that make up this part."""


class TokenFigures(_Frozen):
    """How long the texts are, in tokens of one tokenizer."""

    tokenizer: str
    description: int
    """Tokens of the description: what routing and a catalogue cost."""
    body: int
    """Tokens of the body: what the text form adds to every conversation."""
    byte_share: float | None
    """Share of the body's tokens that are bare bytes, in [0, 1]; None where not known."""
    note: str = ""
    """What the share means for training on the shipped base."""


def parts(skill: Skill) -> tuple[Part, ...]:
    """Divide a skill into what weights can carry (first) and what they cannot."""
    found: list[Part] = []
    if skill.body.strip():
        num_lines = skill.body.count("\n") + 1
        found.append(Part(what="procedure", carried=True, detail=f"the body, {num_lines} lines"))
    grouped = _grouped(skill.resources)
    for what, reason in _REASONS.items():
        files = grouped.get(what, ())
        if files:
            found.append(
                Part(
                    what=what, carried=False, detail=f"{len(files)} file(s): {reason}", files=files
                )
            )
    if skill.allowed_tools is not None:
        detail = f"{skill.allowed_tools!r} is a permission that the agent enforces"
        found.append(Part(what="allowed-tools", carried=False, detail=detail))
    if skill.allowed_tools is not None or _TOOL_USE.search(skill.body):
        detail = (
            "weights can learn to ask for a call; offering the tools and running them stays "
            "with the agent"
        )
        found.append(Part(what="tool use", carried=False, detail=detail))
    if skill.compatibility is not None:
        detail = f"{skill.compatibility!r} must hold where the agent runs"
        found.append(Part(what="environment", carried=False, detail=detail))
    return tuple(found)


def token_figures(skill: Skill, meter: TokenMeter) -> TokenFigures:
    """Measure description and body; on the shipped base also say what the byte share means."""
    share = meter.byte_share(skill.body)
    outside = meter.label == TINY_BASE_LABEL and share is not None and share > MAX_BYTE_SHARE
    return TokenFigures(
        tokenizer=meter.label,
        description=meter.count_tokens(skill.description),
        body=meter.count_tokens(skill.body),
        byte_share=share,
        note=(
            f"outside the shipped base's worlds (more than {MAX_BYTE_SHARE:.0%} of the body's "
            "tokens are bytes): train on a real model with --base MODEL, or serve the text with "
            "serve --skills DIR"
            if outside
            else ""
        ),
    )


def _grouped(resources: Sequence[str]) -> dict[What, tuple[str, ...]]:
    groups: dict[What, tuple[str, ...]] = {}
    for name in resources:
        if ABOUT_THE_SKILL.search(name):
            continue
        top, slash, _ = name.partition("/")
        by_suffix = _SUFFIXES.get(PurePosixPath(name).suffix.lower(), "files")
        what = _FOLDERS.get(top, by_suffix) if slash else by_suffix
        groups[what] = (*groups.get(what, ()), name)
    return groups
