"""One child process of the supervisor: started, watched, ended, its last words read.

Owns the pipe by which a child learns that the supervisor is gone (the child holds the read end),
log files, and pid identity (a pid alone may be re-used; pid and start time may not).
Refuses to own what the child does and when it is started again.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TAIL_BYTES = 16_384


@dataclass
class Child:
    """A running child. `exited` is set when it has ended, whatever the reason."""

    name: str
    popen: "subprocess.Popen[bytes]"
    log: Path
    lifeline_fd: int
    exited: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        lifeline: tuple[int, int],
        log: Path,
        env: Mapping[str, str],
        pass_fds: Sequence[int] = (),
    ) -> "Child":
        """Start `command` in a session of its own, so that Ctrl-C reaches the supervisor alone.

        Args:
            lifeline: the pipe made by `os.pipe()`; the read end goes to the child (its number
                must already stand in `command`), the write end stays here. Both are closed where
                nothing could be started.

        Raises:
            OSError: it could not be started.
        """
        read_fd, write_fd = lifeline
        try:
            with log.open("ab") as sink:
                popen = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                    env=dict(env),
                    pass_fds=(read_fd, *pass_fds),
                    start_new_session=True,
                )
        except OSError:
            os.close(write_fd)
            raise
        finally:
            os.close(read_fd)
        child = cls(name, popen, log, write_fd)
        child._watch()
        return child

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    def poke(self) -> None:
        """Send one byte down the lifeline: what this child follows has changed."""
        with contextlib.suppress(BrokenPipeError):  # it has just ended, and will read the file anew
            os.write(self.lifeline_fd, b"\n")

    async def stop(self, *, grace_s: float, hasty: bool = False) -> None:
        """SIGTERM, and SIGKILL to the whole group after `grace_s`. Returns when it has ended.

        Args:
            hasty: SIGINT instead, by which a keeper does not wait for answers.
        """
        if self.alive:
            self.popen.send_signal(signal.SIGINT if hasty else signal.SIGTERM)
        try:
            await asyncio.wait_for(self.exited.wait(), grace_s)
        except TimeoutError:
            self.kill()
            await self.exited.wait()
        self.close()

    def kill(self) -> None:
        """SIGKILL the child and everything in its process group, now."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def close(self) -> None:
        """Give up the lifeline."""
        if self.lifeline_fd >= 0:
            os.close(self.lifeline_fd)
            self.lifeline_fd = -1

    def last_lines(self, count: int = 15) -> str:
        return tail(self.log, count)

    def _watch(self) -> None:
        """Set `exited` from the event loop, without a thread and without polling."""
        loop = asyncio.get_running_loop()
        pid_fd = os.pidfd_open(self.pid)

        def ended() -> None:
            loop.remove_reader(pid_fd)
            os.close(pid_fd)
            self.popen.wait()
            self.exited.set()

        loop.add_reader(pid_fd, ended)


def tail(log: Path, count: int) -> str:
    """The last `count` non-empty lines of a log file; empty where there is none."""
    try:
        with log.open("rb") as source:
            source.seek(max(0, log.stat().st_size - TAIL_BYTES))
            text = source.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    return "\n".join([line for line in text.splitlines() if line.strip()][-count:])


def start_time(pid: int) -> int | None:
    """Clock ticks after boot at which a process started; None where there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(stat[stat.rindex(")") + 2 :].split()[19])
