"""Finding skills below folders: bounded, in a fixed order, nothing dropped without a word.

Owns the search and the rule for clashes. Refuses to own trust: a caller who offers skills of a
project nobody vouched for asks first.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import overload

from ..errors import Problem, SkillError
from .folder import SKIPPED_FOLDERS
from .model import SKILL_FILE, Skill
from .read import read_skill

MAX_DEPTH = 6
MAX_FOLDERS = 2000

Found = tuple[Skill, list[Problem]]
"""A skill and the warnings about it."""


@dataclass(frozen=True)
class Discovery(Sequence[Found]):
    """What a search found, in order; a sequence of (skill, warnings)."""

    found: tuple[Found, ...]
    skipped: tuple[Problem, ...]
    """Skills that could not be used, losers of clashes, links, and bounds that were reached."""

    @overload
    def __getitem__(self, index: int) -> Found: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Found, ...]: ...
    def __getitem__(self, index: int | slice) -> Found | tuple[Found, ...]:
        return self.found[index]

    def __len__(self) -> int:
        return len(self.found)


def discover_skills(
    *roots: Path | str, max_depth: int = MAX_DEPTH, max_folders: int = MAX_FOLDERS
) -> Discovery:
    """Find every folder that holds a file named exactly SKILL.md, and read it leniently.

    Args:
        roots: searched in this order, each breadth first and in order of name; the first of two
            skills whose names make the same slug wins, the other is warned about. A project's
            folder therefore goes before the user's. A root may be a skill itself.
        max_depth: levels below a root that are searched.
        max_folders: folders looked at in all.

    Returns:
        The usable skills with their warnings, and what was skipped and why. Folders inside a
        skill are its resources and are not searched; `.git`, `node_modules` and links are not
        entered.

    Raises:
        SkillError: a root is no folder.
    """
    skipped: list[Problem] = []
    winners: dict[str, Found] = {}
    for folder in _skill_folders(roots, skipped, max_depth=max_depth, max_folders=max_folders):
        try:
            skill, warnings = read_skill(folder)
        except SkillError as err:
            skipped.append(Problem("unusable_skill", f"skipped: {err}"))
            continue
        if skill.slug not in winners:
            winners[skill.slug] = (skill, warnings)
            continue
        first, first_warnings = winners[skill.slug]
        clash = Problem(
            "name_clash",
            f"two skills are called {skill.slug!r}: {first.path} is used, {folder} is not",
            "rename one of them",
        )
        first_warnings.append(clash)
        skipped.append(clash)
    return Discovery(tuple(winners.values()), tuple(skipped))


@dataclass(frozen=True)
class _Place:
    path: Path
    depth: int


def _skill_folders(
    roots: Sequence[Path | str], skipped: list[Problem], *, max_depth: int, max_folders: int
) -> Iterator[Path]:
    num_seen = 0
    for root in roots:
        start = Path(os.path.abspath(root))
        if not start.is_dir():
            raise SkillError(f"not a folder: {root}; expected a folder with skill folders in it")
        level = [_Place(start, 0)]
        while level:
            below: list[_Place] = []
            for place in level:
                num_seen += 1
                if num_seen > max_folders:
                    says = f"stopped after {max_folders} folders, before {place.path}"
                    skipped.append(Problem("search_bound", says, "point at a smaller folder"))
                    return
                is_skill, children = _look(place, skipped)
                if is_skill:
                    yield place.path
                elif place.depth < max_depth:
                    below += children
                elif children:
                    says = f"{place.path} lies {max_depth} levels deep; not searched below"
                    skipped.append(Problem("search_bound", says))
            level = below


def _look(place: _Place, skipped: list[Problem]) -> tuple[bool, list[_Place]]:
    try:
        with os.scandir(place.path) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as err:
        skipped.append(Problem("unreadable", f"{place.path}: {err.strerror}"))
        return False, []
    if any(entry.name == SKILL_FILE for entry in entries):
        return True, []
    children: list[_Place] = []
    for entry in entries:
        if entry.name in SKIPPED_FOLDERS:
            continue
        if entry.is_symlink():
            if entry.is_dir():
                says = f"{entry.path} is a link and is not entered"
                skipped.append(Problem("link", says, "pass its target"))
        elif entry.is_dir():
            children.append(replace(place, path=Path(entry.path), depth=place.depth + 1))
    return False, children
