"""Advice on the files beside a SKILL.md: references and licence.

Owns what a body's references should look like. Refuses to own how references are found in text
(`references.py`) and files that are no regular files (`adapters/skills/folder.py`).
"""

import re
from collections.abc import Collection, Iterable

from ..adapters.errors import Problem
from ..adapters.skills import MAX_REFERENCE_LINES, Skill
from .references import ABOUT_THE_SKILL, LICENCE_FILE, file_references

MAX_READ_BYTES = 1 << 20
"""Of a reference file, this much is looked at."""

_FILE_NAME = re.compile(r"[\w./-]+\.(?:txt|md|rst)\b|\b(?:LICENSE|LICENCE|COPYING)\b")


def check_references(skill: Skill) -> Iterable[Problem]:
    """Files that the body names, and readable files that it does not name."""
    named = file_references(skill.body, skill.resources)
    texts = {n: _text(skill, n) for n in named if n in skill.resources and n.endswith(".md")}
    below = {name: _named_below(skill, name, text) for name, text in texts.items()}
    for reference in named:
        yield from _place(reference, skill.resources)
        if reference in texts:
            yield from _document(reference, texts[reference], below[reference] - {*named})
    reached = {*named}.union(*below.values())
    for name in skill.resources:
        folders = (name[: i + 1] for i, char in enumerate(name) if char == "/")
        if (
            name.endswith((".md", ".txt"))
            and name not in reached
            and not ABOUT_THE_SKILL.search(name)
            and not any(folder in skill.body for folder in folders)
        ):
            yield Problem(
                "unmentioned_file",
                f"{name} is never mentioned, so nobody will read it",
                "say in the body when to read it",
            )


def check_licence(skill: Skill) -> Iterable[Problem]:
    """Whether a licence is named, and whether the file that it names exists."""
    if skill.license is None and not any(map(LICENCE_FILE.search, skill.resources)):
        yield Problem(
            "no_license",
            "no licence is named; nobody may pass on adapters made from it",
            "add 'license: ...' to the frontmatter",
        )
    for name in _FILE_NAME.findall(skill.license or ""):
        if name not in skill.resources:
            yield Problem(
                "license_missing",
                f"the licence names the file {name}, which does not exist",
                "add the file, or name the licence",
            )


def _place(reference: str, resources: Collection[str]) -> Iterable[Problem]:
    if reference.startswith(("/", "..")):
        yield Problem(
            "reference_outside",
            f"{reference} leads out of the skill's folder",
            "put the file into the folder and use a relative path",
        )
    elif reference in resources:
        if reference.count("/") > 1:
            yield Problem(
                "reference_deep",
                f"{reference} lies {reference.count('/')} folders deep",
                "keep files at most one folder below SKILL.md",
            )
    elif not any(name.startswith(f"{reference}/") for name in resources):
        yield Problem(
            "reference_missing",
            f"{reference} is named but does not exist",
            "add the file or remove the reference",
        )


def _document(reference: str, text: str, deeper: Collection[str]) -> Iterable[Problem]:
    num_lines = len(text.splitlines())
    if num_lines >= MAX_REFERENCE_LINES:
        yield Problem(
            "long_reference",
            f"{reference} has {num_lines} lines; recommended are fewer than {MAX_REFERENCE_LINES}",
            "split it",
        )
    if deeper:
        yield Problem(
            "reference_chain",
            f"{reference} leads on to {', '.join(sorted(deeper))}, which the body does not name",
            "keep references one level deep: name every file in the body",
        )


def _named_below(skill: Skill, reference: str, text: str) -> set[str]:
    """Files of the skill that a reference file names, seen from the root or from its folder."""
    folder = reference[: reference.rfind("/") + 1]
    near = [name.removeprefix(folder) for name in skill.resources if name.startswith(folder)]
    found = file_references(text, [*skill.resources, *near])
    places = {name if name in skill.resources else f"{folder}{name}" for name in found}
    return places & {*skill.resources} - {reference}


def _text(skill: Skill, name: str) -> str:
    """The text of one of the skill's files; empty where it cannot be read (a problem elsewhere)."""
    if skill.path is None:
        return ""
    try:
        with open(skill.path / name, "rb") as file:
            return file.read(MAX_READ_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
