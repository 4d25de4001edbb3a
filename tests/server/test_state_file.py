"""The state file: private, replaced in one step, and honest about pids."""

import os
import subprocess
from pathlib import Path

import pytest
from skillweave.adapters.errors import EngineError
from skillweave.server.state_file import EngineState, ServerState, read_state, write_state
from skillweave.server.supervision.process import start_time, tail


def test_round_trip_and_permissions(tmp_path: Path) -> None:
    state = ServerState(admin_key="k", base_name="base", engines=(EngineState(url="http://x"),))
    path = tmp_path / "state.json"
    write_state(path, state)
    write_state(path, state)
    assert read_state(path) == state
    assert path.stat().st_mode & 0o077 == 0
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]


def test_no_file_means_no_supervisor(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="supervisor"):
        read_state(tmp_path / "state.json")


def test_a_pid_counts_only_with_its_start_time() -> None:
    pid = os.getpid()
    assert EngineState(url="u", pid=pid, started=start_time(pid)).alive
    assert not EngineState(url="u", pid=pid, started=1).alive


def test_an_ended_process_is_not_alive() -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    assert start_time(child.pid) is None


def test_tail_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert tail(log, 2) == ""
    log.write_bytes(b"one\n\ntwo\nthr\xffee\n")
    assert tail(log, 2) == "two\nthr\ufffdee"
