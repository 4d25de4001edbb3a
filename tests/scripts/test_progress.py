"""What a log shows of long work: two lines for each piece."""

import pytest
from skillweave.scripts.progress import progress_bars, progress_lines


def without_times(lines: list[str]) -> list[str]:
    return [line.rsplit(", ", 1)[0] if line.endswith(" s") else line for line in lines]


def test_each_piece_of_work_is_announced_once_and_summed_up_once() -> None:
    lines: list[str] = []
    report = progress_lines(lines.append)
    for done in range(1, 101):
        report("training one", done, 100)
    for done in range(1, 3):
        report("training two", done, 2)
    report("training two", 2, 2)
    told = ["training one: 100 ...", "training one: 100 done",
            "training two: 2 ...", "training two: 2 done"]  # fmt: skip
    assert without_times(lines) == told


def test_work_of_one_piece_needs_no_count_and_may_come_again() -> None:
    lines: list[str] = []
    report = progress_lines(lines.append)
    for _ in range(2):
        report("starting", 0, 1)
        report("starting", 1, 1)
    assert without_times(lines) == ["starting ...", "starting: done"] * 2


def test_work_that_is_over_when_first_heard_of_has_one_line() -> None:
    lines: list[str] = []
    progress_lines(lines.append)("checking", 3, 3)
    assert lines == ["checking: 3 done"]


def test_a_log_gets_lines_on_stderr_and_nothing_on_stdout(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress_bars() as report:
        report("work", 0, 2)
    seen = capsys.readouterr()
    assert (seen.out, seen.err) == ("", "work: 2 ...\n")
    with progress_bars(enabled=False) as report:
        report("work", 0, 2)
    assert capsys.readouterr().err == ""
