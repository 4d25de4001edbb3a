"""What the pages say is so: commands exist, links lead somewhere, exports are the real names."""

import importlib
import re
import subprocess
import types
from pathlib import Path

import pytest
from skillweave.scripts.cli import VERBS

ROOMS = ("adapters", "router", "distill", "server", "scripts")
PAGES = ("README.md", "CONTRIBUTING.md", "docs/README.md")
# Written in pieces, so that this file does not find itself.
FORBIDDEN = {
    "the number of an issue": re.compile(
        r"\bissues?\s+#?" + r"\d|\b(fixes|closes|see)\s+#" + r"\d", re.I
    ),
    "a path of one machine": re.compile(
        r"(?<![\w.~-])/(?:tmp/s" + r"w|wor" + r"k/|roo" + r"t/)\w*"
    ),
}


def tracked(root: Path) -> list[Path]:
    """The text files that git keeps."""
    command = ["git", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    binary = {".safetensors", ".png"}
    files = [root / name for name in listed.split("\0") if name]
    return [f for f in files if f.is_file() and f.suffix not in binary]


def bash_lines(page: Path) -> list[str]:
    """The commands in a page's bash blocks."""
    blocks = re.findall(r"```bash\n(.*?)```", page.read_text(), re.S)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def unknown_commands(lines: list[str], targets: set[str], verbs: set[str]) -> list[str]:
    """`make TARGET` and `skillweave VERB` that do not exist."""
    asked = [(line, re.search(r"\b(make|skillweave) ([a-z][\w-]*)", line)) for line in lines]
    known = {"make": targets, "skillweave": verbs}
    return [line for line, found in asked if found and found[2] not in known[found[1]]]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_exists(repository: Path, page: str) -> None:
    makefile = (repository / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile, re.M))
    lines = bash_lines(repository / page)
    assert unknown_commands(lines, targets, set(VERBS)) == []


def test_an_unknown_command_is_found() -> None:
    lines = ["make demo", "make dmeo", "A=1 skillweave env", ".venv/bin/skillweave evn --json"]
    assert unknown_commands(lines, {"demo"}, {"env"}) == [lines[1], lines[3]]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(repository: Path, page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (repository / page).read_text())
    inside = [link for link in links if "://" not in link]
    missing = [link for link in inside if not ((repository / page).parent / link).exists()]
    assert missing == []


def public_names(module: types.ModuleType) -> set[str]:
    """Names of ours that a package binds: classes and functions, without what it borrowed."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and str(getattr(value, "__module__", "")).startswith("skillweave.")
    }


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_exports_exactly_what_it_says(room: str) -> None:
    module = importlib.import_module(f"skillweave.{room}")
    said: list[str] = getattr(module, "__all__", [])
    assert len(said) == len(set(said))
    assert [name for name in said if not hasattr(module, name)] == []
    assert public_names(module) - set(said) == set()


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_text_names_what_a_stranger_cannot_know(repository: Path, what: str) -> None:
    found = []
    for path in tracked(repository):
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if FORBIDDEN[what].search(line):
                found.append(f"{path.relative_to(repository)}:{number}: {line.strip()[:80]}")
    assert found == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("the number of an issue", "As in issue " + "12 we said"),
        ("the number of an issue", "Fixes #" + "3"),
        ("a path of one machine", "run it in /wor" + "k/main"),
        ("a path of one machine", "cache=/roo" + "t/.cache"),
    ],
)
def test_the_forbidden_is_recognised(what: str, line: str) -> None:
    assert FORBIDDEN[what].search(line)
