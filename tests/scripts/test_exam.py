import pytest
from skillweave.scripts import exam

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
    assert all(callable(exam.load(name, exam.EXAMS)) for name in exam.EXAMS)


def test_the_result_of_an_exam_is_the_exit_code(capsys: Capture) -> None:
    assert exam.main(["install"], {"install": "check_install:main"}) == 0
    assert "environment: complete" in capsys.readouterr().out
