"""The verbs that list: a stranger's words are shown and never obeyed."""

from pathlib import Path

import pytest
from skillweave.scripts.cli import main
from skillweave.scripts.exams.store_jobs import Material

from .shelf import Shelf


def test_a_licence_with_markup_is_shown_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shelf = Shelf(tmp_path / "store", Material(tmp_path))
    shelf.put("a", 1, licence="MIT [/red]")
    shelf.put("b", 2, licence="MIT\x1b[31m")
    for words in (["list"], ["search", "mit"]):
        assert main([*words, "--store", str(shelf.root)]) == 0
        out = capsys.readouterr().out
        assert "MIT [/red]" in out
        assert "MIT\\x1b[31m" in out
        assert "\x1b[31m" not in out
