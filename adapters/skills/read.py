"""The lenient reader of one skill folder.

Owns the rule what is forgiven: everything, with a warning, except a missing description and YAML
whose meaning is open. Refuses to own verdicts (`validate.py`) and searching (`discover.py`).
"""

import json
from collections.abc import Mapping
from pathlib import Path

from ..errors import Problem, SkillError
from .folder import folder_digest, scan_folder
from .frontmatter import AMBIGUOUS, Value, parse_document
from .model import Skill
from .validate import document_problems, find_skill_file, load_text, normal_name, skill_folder


def read_skill(path: Path | str) -> tuple[Skill, list[Problem]]:
    """Read a skill folder (or the folder of a SKILL.md), forgiving what can be forgiven.

    Args:
        path: folder or file.

    Returns:
        The skill, and every warning: all that `validate_skill` would refuse, fields that were
        dropped or converted, links and unreadable files (then `digest` is None).

    Raises:
        SkillError: no such folder or file, no description, or frontmatter that nobody can read.
    """
    folder = skill_folder(path)
    file = find_skill_file(folder)
    text, warnings = load_text(file)
    try:
        document = parse_document(text, repair=True)
    except SkillError as err:
        raise SkillError(f"{file}: {err}") from err
    open_ends = [p.message for p in document.problems if p.code in AMBIGUOUS]
    if open_ends:
        raise SkillError(f"{file}: frontmatter is ambiguous: {'; '.join(open_ends)}")
    warnings += document_problems(document, folder)
    fields = document.fields
    description = fields.get("description")
    if not isinstance(description, str) or not description.strip():
        raise SkillError(f"{file}: no description; say in one line what the skill does and when")
    files, _ = scan_folder(folder)
    skill = Skill(
        name=_name(fields, folder.name, warnings),
        description=description.strip(),
        body=document.body,
        license=_text(fields, "license", warnings),
        compatibility=_text(fields, "compatibility", warnings),
        metadata=_metadata(fields.get("metadata", {}), warnings),
        allowed_tools=_text(fields, "allowed-tools", warnings),
        path=folder,
        file=file.name,
        resources=tuple(name for name in files if name != file.name),
        digest=_digest(folder, warnings),
    )
    return skill, warnings


def _name(fields: Mapping[str, Value], folder_name: str, warnings: list[Problem]) -> str:
    value = fields.get("name")
    if isinstance(value, str) and value.strip():
        return normal_name(value)
    warnings.append(Problem("name_from_folder", f"no name; the folder's {folder_name!r} is used"))
    return normal_name(folder_name)


def _text(fields: Mapping[str, Value], key: str, warnings: list[Problem]) -> str | None:
    value = fields.get(key)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        joined = " ".join(str(item) for item in value)
        warnings.append(Problem("list_as_text", f"{key} is a list; read as {joined!r}"))
        value = joined
    if isinstance(value, dict | list):
        warnings.append(Problem("dropped_field", f"{key} is no text and is ignored: {value!r}"))
        return None
    return (value or "").strip() or None


def _digest(folder: Path, warnings: list[Problem]) -> str | None:
    try:
        return folder_digest(folder)
    except SkillError as err:
        warnings.append(
            Problem("no_digest", str(err), "until then it is neither stored nor trained")
        )
        return None


def _metadata(value: Value, warnings: list[Problem]) -> dict[str, str]:
    if not isinstance(value, dict):
        if value:
            warnings.append(
                Problem("dropped_field", f"metadata is no mapping and is ignored: {value!r}")
            )
        return {}
    result: dict[str, str] = {}
    for key, item in value.items():
        if not isinstance(item, str):
            warnings.append(Problem("nested_metadata", f"metadata {key!r} is kept as JSON text"))
        result[key] = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
    return result
