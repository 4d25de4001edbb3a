"""Between skills as folders and versions in a bank: conversion, digests, edits.

Owns the digest of a version, which equals `folder_digest` of the folder it is written to, and how
edits become a text. Refuses to own where folders lie (`folder.py`).
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from ...adapters.errors import SkillError
from ...adapters.folders import read_plain
from ...adapters.skills import SKILL_FILE, Skill, render_skill
from .types import Edit, SkillOp, SkillText

MAX_FILE_BYTES = 1 << 20
"""Of one file beside a SKILL.md."""


def to_skill(text: SkillText) -> Skill:
    """A version as a value that prompts, worlds and the linter take."""
    return Skill(
        text.name,
        text.description,
        body=text.body,
        license=text.license,
        compatibility=text.compatibility,
        allowed_tools=text.allowed_tools,
        metadata=dict(text.metadata),
        resources=tuple(sorted(text.files)),
    )


def to_text(skill: Skill) -> SkillText:
    """A skill as a version, with the texts beside its SKILL.md where it lies on disk.

    Raises:
        SkillError: its name or a file's name cannot stand in a bank, or a file is no text.
    """
    files = {name: _read(skill.path, name) for name in skill.resources} if skill.path else {}
    document = {
        "name": skill.name,
        "description": skill.description,
        "body": skill.body,
        "license": skill.license,
        "compatibility": skill.compatibility,
        "allowed_tools": skill.allowed_tools,
        "metadata": dict(skill.metadata),
        "files": files,
    }
    try:
        return SkillText.model_validate(document)
    except ValidationError as err:
        raise SkillError(f"skill {skill.name!r} cannot stand in a bank: {reasons(err)}") from err


def parse_op(document: object) -> SkillOp:
    """An operation from JSON, such as a teacher or a file gives it.

    Raises:
        SkillError: it is none; every reason is named.
    """
    try:
        return SkillOp.model_validate(document)
    except ValidationError as err:
        raise SkillError(f"this is no operation on a bank: {reasons(err)}") from err


def reasons(err: ValidationError) -> str:
    """What pydantic found, in one line."""
    found = (
        f"{'.'.join(map(str, e['loc'])) or 'document'}: {e['msg']}"
        for e in err.errors(include_url=False, include_input=False, include_context=False)
    )
    return "; ".join(found)


def contents(text: SkillText) -> dict[str, str]:
    """Every file of the folder that a version is written to, by its path."""
    return {SKILL_FILE: render_skill(to_skill(text)), **text.files}


def text_digest(text: SkillText) -> str:
    """SHA-256 (hex) over the files; `folder_digest` of the written folder is the same.

    Raises:
        SkillError: it holds text that is not valid Unicode.
    """
    total = hashlib.sha256()
    try:
        files = {os.fsencode(p): t.encode("utf-8") for p, t in contents(text).items()}
    except UnicodeEncodeError as err:
        raise SkillError(f"skill {text.name!r} holds broken Unicode (lone surrogates)") from err
    for path in sorted(files):
        total.update(len(path).to_bytes(8, "big") + path + hashlib.sha256(files[path]).digest())
    return total.hexdigest()


def edited(text: SkillText, edits: Sequence[Edit]) -> SkillText:
    """The version that edits of the body make, each on what the one before it left.

    Raises:
        SkillError: what is to be replaced does not stand there, or stands there more than once.
    """
    body = text.body
    for number, edit in enumerate(edits, 1):
        if (hits := body.count(edit.find)) != 1:
            raise SkillError(
                f"edit {number} of {text.name!r} looks for {edit.find[:80]!r}, which stands "
                f"{hits} times in the body, expected once; quote more of the text"
            )
        body = body.replace(edit.find, edit.replace)
    return text.model_copy(update={"body": body.strip()})


def resolved(op: SkillOp, target: SkillText | None) -> SkillOp:
    """The same operation with the text that its edits make in `new`."""
    if not op.edits or target is None:
        return op
    return op.model_copy(update={"new": (edited(target, op.edits),)})


def _read(folder: Path, name: str) -> str:
    try:
        return read_plain(folder / name, MAX_FILE_BYTES).decode("utf-8")
    except (OSError, ValueError) as err:
        raise SkillError(
            f"{folder / name} cannot stand in a bank: {err}; a bank holds texts of at most "
            f"{MAX_FILE_BYTES} bytes, keep other files with the agent"
        ) from err
