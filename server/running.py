"""A server in the background, for programs: the demo, recipes and tests.

    with serve_in_background(ServeConfig(base="/models/tiny", port=0)) as running:
        client = openai.OpenAI(base_url=running.url, api_key="unused")

Owns the life of the supervisor process: it ends with the block, with the caller's Ctrl-C and with
the caller's death. Refuses to own what the server does.
"""

import contextlib
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..adapters.errors import EngineError
from .config import ServeConfig
from .events import Failed, Line, Ready, parse_event

STOP_MARGIN_S = 20.0
KEPT_LINES = 30


@dataclass(frozen=True)
class Running:
    """A server that answers.

    `url` ends in `/v1` and is what an OpenAI client takes as base URL. `pids` are supervisor,
    gateway and engines. `start_s` is the time from the call until everything was ready.
    """

    url: str
    admin_key: str
    pids: tuple[int, ...]
    start_s: float

    @property
    def root(self) -> str:
        """The address without `/v1`, for `/health`, `/ready` and `/admin`."""
        return self.url.removesuffix("/v1")


@contextlib.contextmanager
def serve_in_background(
    config: ServeConfig, *, say: Callable[[str], None] | None = None
) -> Iterator[Running]:
    """Start a server, yield when it answers, end it and everything it started.

    Args:
        say: gets each line of progress while it starts, and later ones, too.

    Raises:
        PortInUse, EngineMissing, UsageError: before anything was started.
        EngineError: an engine did not start; its last lines are in the message.
    """
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "skillweave.server.main"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert supervisor.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            supervisor.stdin.write(config.model_dump_json() + "\n")
            supervisor.stdin.flush()
        last_words = _drain_errors(supervisor)
        yield _until_ready(supervisor, say or _silent, last_words)
    finally:
        _end(supervisor, timeout_s=config.stop_timeout_s + STOP_MARGIN_S)


def _until_ready(
    supervisor: "subprocess.Popen[str]", say: Callable[[str], None], last_words: deque[str]
) -> Running:
    """Read events until the server answers; go on reading in a thread, so that no pipe fills."""
    assert supervisor.stdout is not None
    for line in supervisor.stdout:
        match parse_event(line):
            case Line(text):
                say(text)
            case Failed() as failed:
                raise failed.exception()
            case Ready(url, admin_key, pids, start_s):
                threading.Thread(target=_follow, args=(supervisor, say), daemon=True).start()
                return Running(url, admin_key, pids, start_s)
    supervisor.wait()
    raise EngineError(
        f"the supervisor ended with status {supervisor.returncode} before the server was ready. "
        "Its last lines:\n" + "\n".join(last_words)
    )


def _follow(supervisor: "subprocess.Popen[str]", say: Callable[[str], None]) -> None:
    assert supervisor.stdout is not None
    with contextlib.suppress(ValueError, OSError):  # closed by `_end` while reading
        for line in supervisor.stdout:
            match parse_event(line):
                case Line(text):
                    say(text)
                case Failed(_, message):
                    say(message)


def _drain_errors(supervisor: "subprocess.Popen[str]") -> deque[str]:
    """Collect the last lines of stderr in a thread."""
    lines: deque[str] = deque(maxlen=KEPT_LINES)

    def drain() -> None:
        assert supervisor.stderr is not None
        with contextlib.suppress(ValueError, OSError):
            lines.extend(line.rstrip() for line in supervisor.stderr)

    threading.Thread(target=drain, daemon=True).start()
    return lines


def _end(supervisor: "subprocess.Popen[str]", *, timeout_s: float) -> None:
    """SIGTERM, and SIGKILL where that is not enough; the children notice either."""
    supervisor.terminate()
    try:
        supervisor.wait(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()
    for pipe in (supervisor.stdin, supervisor.stdout, supervisor.stderr):
        assert pipe is not None
        with contextlib.suppress(OSError):
            pipe.close()


def _silent(text: str) -> None:
    """The default for `say`."""
