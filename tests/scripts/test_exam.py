import pytest
from skillweave.distill.recipes import recipe_table
from skillweave.scripts import exam
from skillweave.scripts.exams.recipe import results_name

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("arguments", [[], ["nope"], ["env", "env"]])
def test_an_unknown_name_lists_the_exams(arguments: list[str], capsys: Capture) -> None:
    table = {"env": "commands.env:env", "other": "commands.env:env"}
    assert exam.main(arguments, table) == 2
    shown = capsys.readouterr().err
    assert "there are: env, other" in shown
    assert all(argument in shown for argument in arguments)


def test_no_exam_yet_is_said(capsys: Capture) -> None:
    assert exam.main(["store"], {}) == 2
    assert "'store' is not an exam; there are: none yet" in capsys.readouterr().err


def test_every_exam_of_the_table_exists() -> None:
    assert all(callable(exam.load(name, exam.table())) for name in exam.table())


def test_a_recipe_is_an_exam_by_its_name() -> None:
    assert set(recipe_table()) <= set(exam.table())
    assert results_name("s2l", "string_skills") == "s2l.json"
    assert results_name("s2l", "facts") == "s2l.facts.json"


def test_the_result_of_an_exam_is_the_exit_code(capsys: Capture) -> None:
    assert exam.main(["install"], {"install": "check_install:main"}) == 0
    assert "environment: complete" in capsys.readouterr().out
