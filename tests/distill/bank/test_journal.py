"""Lines that are there entirely or not at all."""

import resource
import signal
from pathlib import Path

import pytest
from skillweave.adapters.errors import StoreError
from skillweave.distill.bank.journal import append_line, read_lines


def test_lines_come_back_and_a_torn_tail_is_cut_by_the_next_append(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    assert append_line(path, b"one\n") == 4
    with path.open("ab") as file:
        file.write(b"tw")
    assert read_lines(path).torn_bytes == 2
    assert append_line(path, b"three\n") == 10
    read = read_lines(path)
    assert (read.lines, read.whole_bytes, read.torn_bytes) == ((b"one", b"three"), 10, 0)


def test_a_torn_tail_longer_than_one_look_back_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"one\n" + b"x" * 200_000)
    assert append_line(path, b"two\n") == 8


def test_a_file_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert read_lines(tmp_path / "none").lines == ()


@pytest.mark.parametrize("line", [b"", b"one", b"one\ntwo\n"])
def test_what_is_no_line_is_refused(tmp_path: Path, line: bytes) -> None:
    with pytest.raises(ValueError, match="a line has its end"):
        append_line(tmp_path / "x", line)


def test_a_disk_that_fills_up_leaves_no_half_line(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    append_line(path, b"one\n")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(StoreError, match="the line is not there"):
            append_line(path, b"x" * 5000 + b"\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == b"one\n"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot write"):
        append_line(tmp_path / "no" / "x", b"one\n")
    with pytest.raises(StoreError, match="cannot read"):
        read_lines(tmp_path)
