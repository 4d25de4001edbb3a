"""The strict judge of a skill folder: every problem at once.

Owns the rules of the format and reproduces the reference validator in both directions. Refuses to
own what is merely bad style (`distill/lint.py`) and the stricter rules of our own writer
(`write.py`). To add a rule of the format: one function on the parsed fields, called by
`field_problems`.

Departs: delimiters are lines; files that the reference stumbles over (not UTF-8, not a
regular file) are problems; `.` is validated under its real name; YAML's rarities
`<<`, `=` and an empty key follow PyYAML.
"""

import os
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from ..errors import Problem, SkillError
from .frontmatter import Document, Value, parse_document
from .model import (
    MAX_COMPATIBILITY_CHARS,
    MAX_DESCRIPTION_CHARS,
    MAX_NAME_CHARS,
    SKILL_FILE,
)

ALLOWED_FIELDS = ("allowed-tools", "compatibility", "description", "license", "metadata", "name")
"""The six keys that frontmatter may hold."""

MAX_SKILL_BYTES = 1 << 20
"""A SKILL.md above 1 MiB is not read: it is no skill."""


def validate_skill(path: Path | str) -> list[str]:
    """Judge a skill folder, or the folder of a SKILL.md, by the format's rules.

    Returns:
        One message per problem, all of them; empty when the skill is valid.

    Source: `skills_ref.validator.validate`, same verdict; the wording is ours.
    """
    return [problem.message for problem in skill_problems(path)]


def skill_problems(path: Path | str) -> list[Problem]:
    """What `validate_skill` finds, with codes and remedies."""
    try:
        folder = skill_folder(path)
        text, found = load_text(find_skill_file(folder))
    except SkillError as err:
        return [Problem("unreadable", str(err))]
    try:
        document = parse_document(text)
    except SkillError as err:
        return [*found, Problem("unparsable", str(err))]
    return [*found, *document_problems(document, folder)]


def document_problems(document: Document, folder: Path) -> list[Problem]:
    """Problems of syntax and of every field, in the order of the file's parts."""
    return [*document.problems, *field_problems(document.fields, folder.name)]


def field_problems(fields: Mapping[str, Value], folder_name: str) -> list[Problem]:
    """Problems of parsed frontmatter that lies in a folder called `folder_name`."""
    found: list[Problem] = []
    extra = sorted(set(fields) - set(ALLOWED_FIELDS))
    if extra:
        known = ", ".join(ALLOWED_FIELDS)
        found.append(
            Problem(
                "unknown_field",
                f"unexpected fields {', '.join(map(repr, extra))}; only {known} are allowed",
                "move them under metadata",
            )
        )
    found += _name_problems(fields, folder_name)
    found += _description_problems(fields)
    found += _compatibility_problems(fields)
    return found


def skill_folder(path: Path | str) -> Path:
    """The absolute folder that `path` means: itself, or the parent of a SKILL.md file.

    Raises:
        SkillError: nothing there, or neither a folder nor a SKILL.md.
    """
    place = Path(os.path.abspath(path))
    if place.is_file() and place.name.lower() == SKILL_FILE.lower():
        return place.parent
    if not place.exists():
        raise SkillError(f"path does not exist: {path}; expected a skill folder")
    if not place.is_dir():
        raise SkillError(f"not a folder: {path}; expected a folder with a {SKILL_FILE}")
    return place


def find_skill_file(folder: Path) -> Path:
    """`SKILL.md` in `folder`, else `skill.md`.

    Raises:
        SkillError: neither is there, or it is no regular file.
    """
    for name in (SKILL_FILE, SKILL_FILE.lower()):
        file = folder / name
        if file.is_file():
            return file
        if file.exists():
            raise SkillError(f"{file} is no regular file; expected a text file")
    raise SkillError(f"missing required file {SKILL_FILE} in {folder}; create it")


def load_text(file: Path) -> tuple[str, list[Problem]]:
    """Read a SKILL.md with `\\n` line ends; bytes that are not UTF-8 are replaced and reported.

    Raises:
        SkillError: it cannot be read, or is larger than `MAX_SKILL_BYTES`.
    """
    try:
        with open(file, "rb") as stream:
            data = stream.read(MAX_SKILL_BYTES + 1)
    except OSError as err:
        raise SkillError(f"cannot read {file}: {err.strerror}") from err
    if len(data) > MAX_SKILL_BYTES:
        raise SkillError(
            f"{file} is larger than {MAX_SKILL_BYTES} bytes; move material into reference files"
        )
    found: list[Problem] = []
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as err:
        text = data.decode("utf-8", "replace")
        found.append(
            Problem("not_utf8", f"not UTF-8 at byte {err.start}", "save the file as UTF-8")
        )
    return text.replace("\r\n", "\n").replace("\r", "\n"), found


def _name_problems(fields: Mapping[str, Value], folder_name: str) -> list[Problem]:
    if "name" not in fields:
        return [Problem("missing_name", "missing required field 'name'", "add it")]
    value = fields["name"]
    if not isinstance(value, str) or not value.strip():
        return [Problem("bad_name", f"field 'name' is {value!r}; expected a non-empty text")]
    name = normal_name(value)
    rules = (
        (
            "name_length",
            len(name) > MAX_NAME_CHARS,
            f"has {len(name)} characters; at most {MAX_NAME_CHARS}",
        ),
        ("name_case", name != name.lower(), "must be lower case"),
        ("name_hyphen_ends", name != name.strip("-"), "must not start or end with a hyphen"),
        ("name_double_hyphen", "--" in name, "must not hold two hyphens in a row"),
        (
            "name_characters",
            not all(c.isalnum() or c == "-" for c in name),
            "may hold letters, digits and hyphens only",
        ),
        (
            "name_folder",
            unicodedata.normalize("NFKC", folder_name) != name,
            f"must equal its folder's name {folder_name!r}",
        ),
    )
    return [Problem(code, f"name {name!r} {says}") for code, broken, says in rules if broken]


def _description_problems(fields: Mapping[str, Value]) -> list[Problem]:
    if "description" not in fields:
        return [Problem("missing_description", "missing required field 'description'", "add it")]
    value = fields["description"]
    if not isinstance(value, str) or not value.strip():
        return [
            Problem(
                "blank_description", f"field 'description' is {value!r}; expected a non-empty text"
            )
        ]
    if len(value) > MAX_DESCRIPTION_CHARS:
        says = f"description has {len(value)} characters; at most {MAX_DESCRIPTION_CHARS}"
        return [Problem("description_length", says)]
    return []


def _compatibility_problems(fields: Mapping[str, Value]) -> list[Problem]:
    value = fields.get("compatibility", "")
    if not isinstance(value, str):
        return [Problem("bad_compatibility", f"field 'compatibility' is {value!r}; expected text")]
    if len(value) > MAX_COMPATIBILITY_CHARS:
        says = f"compatibility has {len(value)} characters; at most {MAX_COMPATIBILITY_CHARS}"
        return [Problem("compatibility_length", says)]
    return []


def normal_name(text: str) -> str:
    """A name as it is compared: stripped, Unicode form NFKC."""
    return unicodedata.normalize("NFKC", text.strip())
