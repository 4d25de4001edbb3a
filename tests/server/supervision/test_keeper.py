"""The keeper: nothing that an engine started outlives the engine, the order to end, or the pipe."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from skillweave.server.supervision.children import KEEPER

# An engine with a worker that left its process group and ignores SIGTERM.
ENGINE = """
import os, signal, subprocess, sys, time
child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
worker = subprocess.Popen([sys.executable, "-c", child], start_new_session=True)
open(sys.argv[1], "w").write(str(worker.pid))
{then}
"""
WAITS = "time.sleep(600)"
DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN); open(sys.argv[1], 'a').write(' ')\n" + WAITS


@contextmanager
def kept(
    tmp_path: Path, then: str, *, grace: str = "0.3"
) -> Iterator[tuple["subprocess.Popen[bytes]", int, list[int]]]:
    """A keeper around an engine; yields it, the write end of its pipe, and all pids below."""
    mark, folder = tmp_path / "worker", tmp_path / "engine-tmp"
    folder.mkdir()
    read_fd, write_fd = os.pipe()
    command = [sys.executable, "-c", ENGINE.format(then=then), str(mark)]
    keeper = subprocess.Popen(
        [
            *(sys.executable, "-I", "-S", str(KEEPER), "--fd", str(read_fd), "--grace", grace),
            *("--orphan-grace", "0.1"),
            *("--remove", str(folder), "--", *command),
        ],
        pass_fds=[read_fd],
    )
    os.close(read_fd)
    try:
        while not (mark.exists() and mark.read_text()):
            time.sleep(0.01)
        below = [child.pid for child in psutil.Process(keeper.pid).children(recursive=True)]
        yield keeper, write_fd, below
    finally:
        keeper.kill()
        keeper.wait()
        os.close(write_fd)


def gone(pids: list[int]) -> bool:
    return not any(psutil.pid_exists(pid) for pid in pids)


def test_an_engine_that_ends_takes_its_workers_along(tmp_path: Path) -> None:
    with kept(tmp_path, "time.sleep(0.2); sys.exit(7)") as (keeper, _, below):
        assert keeper.wait() == 7
        assert len(below) == 2
        assert gone(below)
        assert not (tmp_path / "engine-tmp").exists()


def test_the_end_of_the_pipe_ends_everything(tmp_path: Path) -> None:
    with kept(tmp_path, WAITS) as (keeper, write_fd, below):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, write_fd)  # closes the only write end, and keeps the number taken
        os.close(null)
        keeper.wait()
        assert gone(below)


def test_sigterm_ends_everything(tmp_path: Path) -> None:
    with kept(tmp_path, WAITS) as (keeper, _, below):
        keeper.send_signal(signal.SIGTERM)
        assert keeper.wait() == 128 + signal.SIGTERM
        assert gone(below)


def test_a_deaf_engine_is_killed(tmp_path: Path) -> None:
    with kept(tmp_path, DEAF) as (keeper, _, below):
        while " " not in (tmp_path / "worker").read_text():
            time.sleep(0.01)
        keeper.send_signal(signal.SIGTERM)
        assert keeper.wait() == 128 + signal.SIGKILL
        assert gone(below)


@pytest.mark.slow
def test_in_haste_a_deaf_engine_is_not_waited_for(tmp_path: Path) -> None:
    with kept(tmp_path, DEAF, grace="60") as (keeper, _, below):
        while " " not in (tmp_path / "worker").read_text():
            time.sleep(0.01)
        keeper.send_signal(signal.SIGINT)
        assert keeper.wait(timeout=30) == 128 + signal.SIGKILL
        assert gone(below)


def test_shared_memory_of_a_killed_engine_is_removed(tmp_path: Path) -> None:
    """Python's resource tracker does that, if it is left alone until the others are dead."""
    then = (
        "from multiprocessing import shared_memory\n"
        "memory = shared_memory.SharedMemory(create=True, size=64)\n"
        "open(sys.argv[1], 'a').write(' ' + memory.name)\n" + WAITS
    )
    with kept(tmp_path, then) as (keeper, _, below):
        while " " not in (text := (tmp_path / "worker").read_text()):
            time.sleep(0.01)
        memory = Path("/dev/shm") / text.split()[1].lstrip("/")
        assert memory.exists()
        os.kill(int(text.split()[0]), signal.SIGSTOP)  # a worker that cannot end by itself
        os.kill(below[0], signal.SIGKILL)
        keeper.wait(timeout=30)
        assert not memory.exists()


def test_bytes_on_the_pipe_change_nothing(tmp_path: Path) -> None:
    with kept(tmp_path, "time.sleep(0.2); sys.exit(0)") as (keeper, write_fd, _):
        os.write(write_fd, b"\n\n")
        assert keeper.wait() == 0
