"""The small process that stands between the supervisor and one engine, and lets none survive.

Run as a script with the standard library only: `keeper.py --fd N [--remove DIR]... -- COMMAND`.
It starts COMMAND, waits, and ends everything that COMMAND started when COMMAND ends, when it is
told to (SIGTERM; SIGINT where nothing is being answered, then in haste), or when the supervisor is
gone: that holds the other end of the pipe N, which reads EOF then, even after `kill -9`. Engines
start processes of their own; the keeper is made the parent of their orphans
(PR_SET_CHILD_SUBREAPER), so it finds and ends those too.

Owns the end of an engine. Refuses to own its command line, its health and its restart.
"""

import argparse
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
ORPHAN_GRACE_S = 2.0
HASTE_S = 1.0
"""From SIGTERM to SIGKILL where nobody waits for an answer."""
TRACKER = b"multiprocessing.resource_tracker"
"""In the command line of Python's helper that removes shared memory after its users have died."""
TRACKER_GRACE_S = 5.0
STOPPED, HASTY, ORPHANED = "stopped", "hasty", "orphaned"


def main(argv: list[str]) -> int:
    """Keep one command until it ends, SIGTERM comes or the pipe reads EOF; its exit status."""
    options = _parse(argv)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    wake_fd = _signals_to_pipe()
    child = subprocess.Popen(options.command, preexec_fn=lambda: _prctl(PR_SET_PDEATHSIG, 9))
    why = _wait(child, options.fd, wake_fd)
    in_haste = why in (HASTY, ORPHANED)
    if child.poll() is None:
        _stop(child, min(HASTE_S, options.grace) if in_haste else options.grace)
    _end_descendants(0.0 if in_haste else options.orphan_grace)
    for folder in options.remove:
        shutil.rmtree(folder, ignore_errors=True)
    if why == ORPHANED and options.orphan_remove:
        shutil.rmtree(options.orphan_remove, ignore_errors=True)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="keeper.py")
    parser.add_argument("--fd", type=int, required=True, help="pipe that ends with the supervisor")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds from SIGTERM to SIGKILL")
    parser.add_argument(
        "--orphan-grace",
        type=float,
        default=ORPHAN_GRACE_S,
        help="seconds that processes which the engine left behind may take to end on their own",
    )
    parser.add_argument("--remove", action="append", default=[], help="folder removed at the end")
    parser.add_argument("--orphan-remove", help="folder removed when the supervisor has vanished")
    parser.add_argument("command", nargs="+")
    return parser.parse_args(argv)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _signals_to_pipe() -> int:
    """Turn SIGCHLD, SIGTERM and SIGINT into bytes on a pipe, so that one select waits for all."""
    read_fd, write_fd = os.pipe()
    os.set_blocking(write_fd, False)
    signal.set_wakeup_fd(write_fd)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return read_fd


def _wait(child: "subprocess.Popen[bytes]", pipe_fd: int, wake_fd: int) -> str | None:
    """Return why the child must be ended, or None when it has ended by itself."""
    while child.poll() is None:
        ready, _, _ = select.select([pipe_fd, wake_fd], [], [])
        if pipe_fd in ready and not os.read(pipe_fd, 1024):
            return ORPHANED
        signals = os.read(wake_fd, 1024) if wake_fd in ready else b""
        if signal.SIGINT in signals:
            return HASTY
        if signal.SIGTERM in signals:
            return STOPPED
        _reap_orphans(child.pid)
    return None


def _stop(child: "subprocess.Popen[bytes]", grace_s: float) -> None:
    """SIGTERM, then SIGKILL after `grace_s`."""
    child.terminate()
    try:
        child.wait(timeout=grace_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _end_descendants(grace_s: float) -> None:
    """Kill what is left after `grace_s`; the helpers that tidy up after the others come last."""
    _until_gone(lambda: descendants(os.getpid()), grace_s)
    _until_gone(lambda: [pid for pid in descendants(os.getpid()) if not _is_tracker(pid)], 0.0)
    _until_gone(lambda: descendants(os.getpid()), TRACKER_GRACE_S)
    _until_gone(lambda: descendants(os.getpid()), 0.0)


def _until_gone(left: Callable[[], list[int]], grace_s: float) -> None:
    """Wait until none is left, at most `grace_s`; with a grace of 0, kill until none is left."""
    deadline = time.monotonic() + grace_s
    while pids := left():
        if grace_s == 0.0:
            for pid in pids:
                _kill(pid)
        elif time.monotonic() > deadline:
            return
        _reap_orphans(None)
        time.sleep(0.02)


def _is_tracker(pid: int) -> bool:
    try:
        return TRACKER in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _reap_orphans(keep: int | None) -> None:
    """Collect ended children, but leave `keep` to its Popen."""
    for pid in children(os.getpid()):
        if pid != keep:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                continue


def children(pid: int) -> list[int]:
    """Direct children of a process, zombies included."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _parent(entry) == pid:
            found.append(int(entry.name))
    return found


def descendants(pid: int) -> list[int]:
    """All processes below a process."""
    below: list[int] = []
    frontier = [pid]
    while frontier:
        frontier = [child for parent in frontier for child in children(parent)]
        below += frontier
    return below


def _parent(entry: Path) -> int | None:
    try:
        stat = (entry / "stat").read_text()
    except OSError:
        return None
    return int(stat[stat.rindex(")") + 2 :].split()[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
