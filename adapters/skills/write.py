"""The strict writer: what leaves us is read alike by every client we know.

Owns the narrow form (the intersection of the reference validator, the stricter validators and
plain line readers) and its YAML quoting. Refuses to repair: a skill that breaks a rule is refused
with every reason. Refuses to own resources: it writes SKILL.md only.
"""

import os
import re
import tempfile
from pathlib import Path

import yaml

from ..errors import InvalidName, SkillError
from ..names import validate_name
from .model import (
    MAX_COMPATIBILITY_CHARS,
    MAX_DESCRIPTION_CHARS,
    MAX_SKILL_LINES,
    SKILL_FILE,
    Skill,
)

MAX_METADATA_KEY_CHARS = 128

_PLAIN = re.compile(r"[A-Za-z][\w .,;()/+'-]*[\w.;)]", re.ASCII)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_ESCAPED = re.compile("[\u0085\u00a0\u2028\u2029\ufeff]")


def write_skill(skill: Skill, folder: Path | str, *, overwrite: bool = False) -> Path:
    """Write `skill` as SKILL.md into `folder`, which is created where it is missing.

    Args:
        skill: name, description, body and the optional fields are written; resources are not.
        folder: its last part must be the skill's name.
        overwrite: replace an existing SKILL.md.

    Returns:
        The path of the file. `read_skill` gives back the same fields without a warning, and the
        reference validator accepts it.

    Raises:
        SkillError: any of `writing_problems`, or a SKILL.md is there already, or the disk refuses.
    """
    place = Path(os.path.abspath(folder))
    problems = writing_problems(skill)
    if place.name != skill.name:
        problems.append(f"folder {place.name!r} must be called like the skill, {skill.name!r}")
    if problems:
        listing = "\n".join(f"  - {problem}" for problem in problems)
        raise SkillError(f"skill {skill.name!r} is not written:\n{listing}")
    target = place / SKILL_FILE
    try:
        place.mkdir(parents=True, exist_ok=True)
        _put(target, render_skill(skill), overwrite=overwrite)
    except FileExistsError as err:
        raise SkillError(f"{target} exists; choose another folder or pass overwrite=True") from err
    except OSError as err:
        raise SkillError(f"cannot write {target}: {err.strerror}") from err
    return target


def writing_problems(skill: Skill) -> list[str]:
    """Why `write_skill` would refuse this value; empty when it would not."""
    found: list[str] = []
    try:
        validate_name(skill.name)
    except InvalidName as err:
        found.append(str(err))
    found += _line_problems("description", skill.description, limit=MAX_DESCRIPTION_CHARS)
    if re.search("[<>]", skill.description):
        found.append("description holds angle brackets; some clients paste it into XML")
    if skill.compatibility is not None:
        found += _line_problems("compatibility", skill.compatibility, limit=MAX_COMPATIBILITY_CHARS)
    for what, text in (("license", skill.license), ("allowed-tools", skill.allowed_tools)):
        if text is not None:
            found += _line_problems(what, text)
    for key, value in skill.metadata.items():
        found += _line_problems(f"metadata key {key!r}", key, limit=MAX_METADATA_KEY_CHARS)
        if _CONTROL.search(value):
            found.append(f"metadata {key!r} holds control characters or broken Unicode")
    found += _body_problems(skill)
    return found


def render_skill(skill: Skill) -> str:
    """The text of the SKILL.md; meaningful where `writing_problems` is empty."""
    fields = [("name", skill.name), ("description", skill.description)]
    optional = (
        ("license", skill.license),
        ("compatibility", skill.compatibility),
        ("allowed-tools", skill.allowed_tools),
    )
    fields += [(key, value) for key, value in optional if value is not None]
    lines = ["---", *(f"{key}: {_scalar(value)}" for key, value in fields)]
    if skill.metadata:
        lines.append("metadata:")
        lines += [f"  {_scalar(key)}: {_scalar(value)}" for key, value in skill.metadata.items()]
    return "\n".join([*lines, "---", "", skill.body, ""])


def _line_problems(what: str, text: str, *, limit: int | None = None) -> list[str]:
    found: list[str] = []
    if not text.strip():
        found.append(f"{what} is blank; expected a text, or leave it out where it is optional")
    elif text != text.strip():
        found.append(f"{what} has blanks at its ends; strip it")
    if len(text.splitlines()) > 1 or "\t" in text:
        found.append(f"{what} holds line breaks or tabs; expected one line")
    elif _CONTROL.search(text):
        found.append(f"{what} holds control characters or broken Unicode")
    if limit is not None and len(text) > limit:
        found.append(f"{what} has {len(text)} characters; at most {limit}")
    return found


def _body_problems(skill: Skill) -> list[str]:
    found: list[str] = []
    if skill.body != skill.body.strip():
        found.append("body has blanks at its ends; strip it")
    if "\r" in skill.body:
        found.append("body holds carriage returns; expected \\n line ends")
    if re.search("[\ud800-\udfff]", skill.body):
        found.append("body holds broken Unicode (lone surrogates)")
    num_lines = render_skill(skill).count("\n")
    if num_lines >= MAX_SKILL_LINES:
        found.append(
            f"{SKILL_FILE} would have {num_lines} lines; expected fewer than {MAX_SKILL_LINES}: "
            "move material into reference files"
        )
    return found


def _scalar(text: str) -> str:
    """`text` as a YAML scalar that every version of YAML reads as this string."""
    if _PLAIN.fullmatch(text) and "---" not in text and yaml.safe_load(text) == text:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    for raw, code in (("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        escaped = escaped.replace(raw, code)
    escaped = _ESCAPED.sub(lambda hit: f"\\u{ord(hit[0]):04x}", escaped)
    if "---" in escaped:  # readers that split on the substring must not see a delimiter
        escaped = re.sub("(?<=-)-", r"\\x2d", escaped)
    return f'"{escaped}"'


def _put(target: Path, text: str, *, overwrite: bool) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        if overwrite:
            os.replace(name, target)
        else:
            os.link(name, target)  # fails where the file exists
    finally:
        Path(name).unlink(missing_ok=True)
