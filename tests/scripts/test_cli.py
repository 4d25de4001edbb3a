import subprocess
import sys
from typing import Annotated

import pytest
import typer
from skillweave.adapters.errors import (
    EngineMissing,
    InvalidName,
    ModelStringError,
    NotFound,
    UsageError,
)
from skillweave.scripts.cli import VERBS, as_app, load, main, run

Capture = pytest.CaptureFixture[str]


def run_verb(verb: object, *arguments: str) -> int:
    return run(lambda: as_app(verb), arguments, "skillweave try")  # type: ignore[arg-type]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_of_the_table_can_be_loaded(verb: str, capsys: Capture) -> None:
    assert run(lambda: load(verb), ["--help"], f"skillweave {verb}") == 0
    assert f"skillweave {verb}" in capsys.readouterr().out


def test_help_lists_every_verb_without_importing_one() -> None:
    script = (
        "import sys; from skillweave.scripts.cli import main; main(['--help']); "
        "print(sorted(m for m in sys.modules if m.startswith('skillweave.') or m == 'torch'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    *shown, imported = done.stdout.splitlines()
    assert all(any(verb in line for line in shown) for verb in VERBS)
    assert "torch" not in imported
    assert "skillweave.scripts.commands" not in imported


def test_version_prints_name_and_number(capsys: Capture) -> None:
    assert main(["--version"]) == 0
    name, number = capsys.readouterr().out.split()
    assert name == "skillweave"
    assert number[0].isdigit()


@pytest.mark.parametrize("arguments", [["nope"], ["env", "--nope"], ["--nope"]])
def test_wrong_use_is_two_and_names_what_was_seen(arguments: list[str], capsys: Capture) -> None:
    assert main(arguments) == 2
    assert arguments[-1] in capsys.readouterr().err


@pytest.mark.parametrize("code", [0, 1, 2])
def test_the_result_of_a_verb_is_the_exit_code(code: int) -> None:
    def verb() -> int:
        return code

    assert run_verb(verb) == code


def test_a_verb_without_result_is_done() -> None:
    def verb() -> None:
        pass

    assert run_verb(verb) == 0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFound("no adapter 'x'"), 1),
        (EngineMissing("run make"), 1),
        (UsageError("a and b"), 2),
        (ModelStringError("'a*nan'"), 2),
        (InvalidName("name '..'"), 2),
    ],
)
def test_our_errors_are_one_paragraph_without_traceback(
    error: Exception, code: int, capsys: Capture
) -> None:
    def verb() -> int:
        raise error

    assert run_verb(verb) == code
    assert capsys.readouterr().err == f"skillweave try: {error}\n"


def test_a_bug_keeps_its_traceback() -> None:
    def verb() -> int:
        return [0][1]

    with pytest.raises(IndexError):
        run_verb(verb)


def test_ctrl_c_is_130_with_one_line(capsys: Capture) -> None:
    def verb() -> int:
        raise KeyboardInterrupt

    assert run_verb(verb) == 130
    assert capsys.readouterr().err == "skillweave try: interrupted\n"


def test_ctrl_c_while_a_verb_is_imported_is_the_same(capsys: Capture) -> None:
    def make_app() -> typer.Typer:
        raise KeyboardInterrupt

    assert run(make_app, [], "skillweave try") == 130
    assert capsys.readouterr().err == "skillweave try: interrupted\n"


def test_parameters_are_options_and_a_group_has_verbs_of_its_own() -> None:
    group = typer.Typer()

    @group.command()
    def create(name: str, code: Annotated[int, typer.Option("--code")] = 0) -> int:
        return code if name == "right" else 1

    @group.command("list")
    def show() -> None:
        pass

    assert run_verb(group, "list") == 0
    assert run_verb(group, "create", "wrong") == 1
    assert run_verb(group, "create", "right", "--code", "7") == 7
    assert run_verb(group, "create") == 2
