"""Which files a skill's Markdown points to. Pure.

Owns the reading of links and paths. Refuses to own the files themselves (`lint.py`).
"""

import re
from collections.abc import Collection
from posixpath import normpath

RESOURCE_FOLDERS = frozenset(
    "scripts bin references reference docs assets templates examples themes core shared".split()
)
"""Folder names under which a path in running text is taken for a file of the skill."""

_LINK = re.compile(r"\]\(\s*<?([^)\s>]+)")
_PATH = re.compile(r"(?<![\w./~:-])(?:\./)?((?:[\w.-]+/)+[\w.-]*\w)")
_FILE_IN_TICKS = re.compile(r"`(?:\./)?([\w.-]+\.\w{1,8})`")

LICENCE_FILE = re.compile(r"(^|/)(licen[cs]e|copying)[^/]*$", re.IGNORECASE)
ABOUT_THE_SKILL = re.compile(
    r"(^|/)(readme|licen[cs]e|copying|changelog)[^/]*$|^evals/", re.IGNORECASE
)
"""Files about a skill, which its user does not need: they are neither read nor carried."""


def file_references(text: str, resources: Collection[str]) -> tuple[str, ...]:
    """Relative paths that `text` points to, normalised, in order, each once.

    Links count wherever they lead, except to an address or an anchor and except in code blocks.
    A bare path counts when its first folder is one of the skill's or of `RESOURCE_FOLDERS`; a bare
    file name in backticks only when that file exists, since others may be the user's own files.
    """
    tops = RESOURCE_FOLDERS | {name.partition("/")[0] for name in resources if "/" in name}
    links = [link.partition("#")[0] for link in _LINK.findall(_without_code_blocks(text))]
    found = [link for link in links if link and not re.match(r"[A-Za-z][\w+.-]*:|//", link)]
    found += [path for path in _PATH.findall(text) if path.partition("/")[0] in tops]
    found += [name for name in _FILE_IN_TICKS.findall(text) if name in resources]
    return tuple(dict.fromkeys(normpath(path) for path in found))


def _without_code_blocks(text: str) -> str:
    kept: list[str] = []
    fence = ""
    for line in text.split("\n"):
        mark = line.lstrip()[:3]
        if fence:
            fence = "" if mark == fence else fence
        elif mark in ("```", "~~~"):
            fence = mark
        else:
            kept.append(line)
    return "\n".join(kept)
