"""The text of a SKILL.md, taken apart: delimiter lines, YAML of strings, body. Pure.

Owns the syntax. Delimiters are whole lines, so a value may hold `---` and a body may hold rules.
Every scalar stays the string that was written (`1.0` and `yes` too). Refuses to own the meaning of
a field (`validate.py`) and files (`read.py`).

What only the strict side minds is a problem beside a usable value; what leaves the meaning open
(`AMBIGUOUS`) or the text unparsable makes a skill unusable.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import yaml

from ..errors import Problem, SkillError

Value: TypeAlias = "str | list[Value] | dict[str, Value]"
"""What a frontmatter value can be: a string, or lists and mappings of strings."""

AMBIGUOUS = frozenset({"duplicate_key", "anchor", "alias", "tag", "merge_key", "odd_key"})
"""Codes of problems after which nobody can say what the author meant."""

MAX_DEPTH = 32
"""Nesting levels of frontmatter that are read; the format needs two."""

_FENCE = "---"
_KEY_LINE = re.compile(r"(?P<head>\s*[A-Za-z_][\w.-]*\s*:)[ \t]+(?P<value>\S.*)")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_OLD_BREAKS = str.maketrans(dict.fromkeys("\x85\u2028\u2029", " "))


@dataclass(frozen=True)
class Document:
    """A SKILL.md after parsing: its fields, its body, and what was not by the book."""

    fields: dict[str, Value]
    body: str
    problems: tuple[Problem, ...]


def parse_document(text: str, *, repair: bool = False) -> Document:
    """Take the text of a SKILL.md apart.

    Args:
        text: with `\\n` line ends.
        repair: after a YAML error try once more with unprintable characters replaced by spaces
            and unquoted values quoted that hold a colon; the repair is reported as a problem.

    Returns:
        Fields, body, and every problem found on the way; strict callers refuse any problem.

    Raises:
        SkillError: no frontmatter, no end of it, YAML that cannot be parsed, or no mapping.
    """
    yaml_text, body, found = _split(text)
    try:
        fields = _load(yaml_text, found)
        return Document(fields, body, tuple(found))
    except SkillError as first:
        if not repair:
            raise
        repaired = _quote_plain_values(_UNPRINTABLE.sub(" ", yaml_text))
        if repaired == yaml_text:
            raise
        again = [*found, Problem("repaired", f"{first}; read after quoting", "quote the value")]
        fields = _load(repaired, again)
        return Document(fields, body, tuple(again))


def _split(text: str) -> tuple[str, str, list[Problem]]:
    found: list[Problem] = []
    if text.startswith("\ufeff"):
        found.append(Problem("bom", "starts with a byte order mark", "save as UTF-8 without it"))
        text = text[1:]
    lines = text.split("\n")
    start = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if lines[start].rstrip() != _FENCE:
        raise SkillError(
            f"no frontmatter: expected a first line {_FENCE!r}, found {lines[start][:60]!r}; "
            "begin the file with name and description between two such lines"
        )
    if start:
        found.append(Problem("blank_start", f"{start} blank line(s) before the frontmatter"))
    for end in range(start + 1, len(lines)):
        if lines[end].rstrip() == _FENCE:
            # Blank lines in front keep the line numbers of YAML's errors those of the file.
            yaml_text = "\n" * (start + 1) + "\n".join(lines[start + 1 : end]) + "\n"
            # PyYAML speaks YAML 1.1, where these three end a line and could smuggle in a key.
            yaml_text = yaml_text.translate(_OLD_BREAKS)
            return yaml_text, "\n".join(lines[end + 1 :]).strip(), found
    raise SkillError(f"frontmatter is not closed: expected a second line {_FENCE!r}; add it")


def _load(yaml_text: str, found: list[Problem]) -> dict[str, Value]:
    try:
        events: Iterator[yaml.Event] = iter(yaml.parse(yaml_text, Loader=yaml.SafeLoader))
        value: Value = ""
        num_documents = 0
        for event in events:
            if isinstance(event, yaml.NodeEvent):
                num_documents += 1
                value = _value(event, events, found=found, depth=0)
    except yaml.YAMLError as err:
        raise SkillError(f"frontmatter is not usable YAML: {_one_line(err)}") from err
    if num_documents > 1:
        raise SkillError("frontmatter holds several YAML documents; expected one mapping")
    if not isinstance(value, dict):
        raise SkillError("frontmatter is no YAML mapping; expected lines such as 'name: my-skill'")
    return value


def _value(
    event: yaml.Event, events: Iterator[yaml.Event], *, found: list[Problem], depth: int
) -> Value:
    _note_syntax(event, found)
    if isinstance(event, yaml.ScalarEvent):
        return str(event.value)
    if depth >= MAX_DEPTH:
        raise SkillError(f"frontmatter is nested deeper than {MAX_DEPTH} levels; flatten it")
    if isinstance(event, yaml.SequenceStartEvent):
        items: list[Value] = []
        for item in events:
            if isinstance(item, yaml.SequenceEndEvent):
                break
            items.append(_value(item, events, found=found, depth=depth + 1))
        return items
    if isinstance(event, yaml.MappingStartEvent):
        return _mapping(events, found=found, depth=depth)
    return ""  # an alias, noted above


def _mapping(events: Iterator[yaml.Event], *, found: list[Problem], depth: int) -> dict[str, Value]:
    result: dict[str, Value] = {}
    for event in events:
        if isinstance(event, yaml.MappingEndEvent):
            break
        key = _value(event, events, found=found, depth=depth + 1)
        value = _value(next(events), events, found=found, depth=depth + 1)
        if not isinstance(key, str):
            found.append(Problem("odd_key", f"a key is no plain text: {key!r}", "use a word"))
            continue
        if key == "<<" and getattr(event, "style", None) is None:
            found.append(Problem("merge_key", "merge key '<<'", "write the values out"))
        if key in result:
            found.append(Problem("duplicate_key", f"duplicate key {key!r}", "keep one of them"))
        result[key] = value
    return result


def _note_syntax(event: yaml.Event, found: list[Problem]) -> None:
    line = f"line {event.start_mark.line + 1}" if event.start_mark else "line unknown"
    if isinstance(event, yaml.AliasEvent):
        found.append(Problem("alias", f"alias *{event.anchor} ({line})", "write the value out"))
        return
    if getattr(event, "anchor", None) is not None:
        found.append(Problem("anchor", f"anchor ({line})", "write the value out"))
    if getattr(event, "tag", None) is not None:
        found.append(Problem("tag", f"type tag ({line})", "remove it; all values are text"))
    if getattr(event, "flow_style", False):
        found.append(
            Problem("flow_style", f"flow style {{...}} or [...] ({line})", "one item per line")
        )


def _quote_plain_values(yaml_text: str) -> str:
    """Quote what YAML would misread: plain values with a colon, or starting with @, ` or %."""
    lines = yaml_text.split("\n")
    result: list[str] = []
    index = 0
    while index < len(lines):
        end = index + 1
        hit = _KEY_LINE.fullmatch(lines[index])
        if hit and not lines[index][0].isspace():
            while end < len(lines) and lines[end][:1].isspace():
                end += 1  # a plain value goes on in the indented lines below it
        if hit and _needs_quotes(hit["value"], lines[index + 1 : end]):
            more = [line.strip() for line in lines[index + 1 : end] if line.strip()]
            text = " ".join([hit["value"].strip(), *more]).replace("'", "''")
            result.append(f"{hit['head']} '{text}'")
        else:
            result += lines[index:end]
        index = end
    return "\n".join(result)


def _needs_quotes(value: str, below: list[str]) -> bool:
    if value[0] in "\"'|>[{&*!#":
        return False
    return value[0] in "@`%" or any(re.search(r":(\s|$)", line) for line in (value, *below))


def _one_line(err: yaml.YAMLError) -> str:
    mark = getattr(err, "problem_mark", None)
    problem = getattr(err, "problem", None) or str(err)
    return " ".join(problem.split()) + (f" (line {mark.line + 1})" if mark else "")
