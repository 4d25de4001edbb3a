"""Programs in environments of their own: found by name, or said how to get."""

import sys
from pathlib import Path

import pytest
from skillweave.adapters.errors import UsageError
from skillweave.scripts.bench.serve_elsewhere import PROGRAMS, python_with, version_in
from skillweave.scripts.bench.serve_litellm import answer_of
from skillweave.scripts.bench.serve_wire import Heard


def test_a_named_python_without_the_program_is_refused_with_the_way_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SKILLWEAVE_LITELLM_PYTHON", "/nowhere/python")
    with pytest.raises(UsageError, match=r"pip install -r \S+/bench-litellm.txt"):
        python_with("litellm")


def test_a_named_python_with_the_program_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "lm_eval.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv(PROGRAMS["lm-eval"].variable, sys.executable)
    assert python_with("lm-eval") == Path(sys.executable)


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_is_pinned(name: str, repository: Path) -> None:
    lines = (repository / f"requirements/bench-{name}.txt").read_text().splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    assert wanted
    assert all("==" in line for line in wanted)


def test_versions_are_asked_of_the_other_environment() -> None:
    assert version_in(Path(sys.executable), "pytest") == pytest.__version__


def test_an_answer_that_is_none_is_its_status() -> None:
    assert answer_of(Heard(500, {}, b"oops", 0.0, 0.0)) == "status 500"
