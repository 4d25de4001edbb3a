"""The guide to adapters is one session: every block runs, in order, and prints what it says."""

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest
from skillweave.scripts.cli import main

pytestmark = pytest.mark.slow

_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.S)


def blocks(page: str) -> list[tuple[str, str]]:
    """(language, text) of every block, in order."""
    return [(found[1], found[2]) for found in _BLOCK.finditer(page)]


def run(language: str, text: str, names: dict[str, object]) -> str:
    """Run one block; what it printed."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        if language == "python":
            exec(compile(text, "guide", "exec"), names)
        else:
            for line in text.splitlines():
                command, *words = shlex.split(line)
                assert command == "skillweave", line
                assert main(words) == 0, line
    return out.getvalue()


def agrees(told: str, printed: str) -> bool:
    """Whether a page's output is what was printed; `...` stands for anything in a line."""
    pattern = ".*".join(map(re.escape, told.split("...")))
    return re.fullmatch(pattern, printed) is not None


def test_every_block_of_the_guide_runs_and_prints_what_it_says(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = (repository / "docs" / "guide" / "adapters.md").read_text()
    found = blocks(page)
    assert {language for language, _ in found} == {"bash", "python", "text"}
    names: dict[str, object] = {}
    printed = ""
    for language, text in found:
        if language == "text":
            assert agrees(text, printed), f"the page says\n{text}\nbut it was\n{printed}"
        else:
            printed = run(language, text, names)
    pictures = {file.name for file in tmp_path.iterdir() if file.suffix in {".png", ".svg"}}
    assert pictures == {"spectrum.png", "lineage.svg", "similar.png"}


@pytest.mark.parametrize(
    ("told", "printed", "same"),
    [("a ... c\n", "a b c\n", True), ("a ... c\n", "a b d\n", False), ("a\n", "a\nb\n", False)],
)
def test_a_page_that_says_something_else_is_found(told: str, printed: str, same: bool) -> None:
    assert agrees(told, printed) == same
