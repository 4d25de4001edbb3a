"""What the bench `serve` starts: the fake upstream, our gateway before an engine, and real vLLM.

Every side is a process of its own, reached by its socket and ended with its block. Owns their
start, their end and what they cost. Refuses to measure, and to know other gateways
(`serve_litellm.py`).
"""

import contextlib
import json
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from ...adapters import EngineError
from ...server.config import ServeConfig
from ...server.engines.launch import Place, plan_vllm
from ...server.plan import make_plan
from ...server.running import Running, serve_in_background
from ...server.supervision.listen import free_port

START_S = 180.0
_POLL_S = 0.1
_REST_S = 30.0


@dataclass(frozen=True)
class Side:
    """A server that answers: where, with which key, under which name, in which processes."""

    url: str
    model: str
    key: str | None = None
    pids: tuple[int, ...] = ()

    @property
    def cpu_s(self) -> float:
        """CPU seconds of its processes so far, user and system."""
        times = [psutil.Process(pid).cpu_times() for pid in self.pids]
        return sum(t.user + t.system for t in times)

    @property
    def memory_bytes(self) -> int:
        """Resident memory of its processes."""
        return sum(psutil.Process(pid).memory_info().rss for pid in self.pids)


@contextlib.contextmanager
def upstream() -> Iterator[Side]:
    """The fake engine of `serve_upstream.py`."""
    from .serve_upstream import NAME

    port = free_port()
    command = [sys.executable, "-m", f"{__package__}.serve_upstream", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    with process(command, url=f"{url}/health") as pid:
        yield Side(url, NAME, pids=(pid,))


@contextlib.contextmanager
def gateway_before(engine: Side, config: ServeConfig | None = None) -> Iterator[tuple[Side, str]]:
    """Our gateway in front of an engine that runs already, and its admin key; at rest.

    Right after its start it imports in a thread what sums of adapters need; that is over by then.

    Args:
        config: what else is to be served; its engine is replaced by this one.
    """
    given = config.model_dump(exclude_unset=True) if config is not None else {}
    full = ServeConfig(**{**given, "engine_url": engine.url, "engine_key": engine.key, "port": 0})
    with serve_in_background(full) as running:
        gateway = gateway_of(running)
        _until_at_rest(gateway)
        yield gateway, running.admin_key


def gateway_of(running: Running) -> Side:
    """The gateway of a running server: its second process."""
    return Side(running.root, "base", pids=running.pids[1:2])


def fake_loads(running: Running) -> list[str]:
    """Names that the stand-in engines of a server were told to load, in order."""
    told: list[str] = []
    for one in psutil.Process(running.pids[0]).children(recursive=True):
        words = one.cmdline()
        if words[1:3] == ["-m", "skillweave.server.engines.fake"]:  # and no keeper
            url = f"http://127.0.0.1:{words[words.index('--port') + 1]}/fake"
            with urllib.request.urlopen(url, timeout=30) as reply:
                told += json.load(reply)["loads"]
    return told


@contextlib.contextmanager
def vllm(
    config: ServeConfig, scratch: Path, *, environment: Mapping[str, str] | None = None
) -> Iterator[Side]:
    """Real vLLM with the flags that `serve` derives; all its processes are counted.

    Raises:
        EngineError: it does not come up; its log ends the message.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    port = free_port()
    place = Place(port=port, secret=secrets.token_hex(16), tmp=scratch)
    launch = plan_vllm(config, make_plan(config).facts, place)
    env = {**launch.env, **(environment or {})}
    url = f"http://127.0.0.1:{port}"
    log = scratch / "engine.log"
    with process(list(launch.command), url=f"{url}/health", env=env, log=log) as pid:
        below = psutil.Process(pid).children(recursive=True)
        yield Side(url, "base", place.secret, (pid, *(child.pid for child in below)))


@contextlib.contextmanager
def process(
    command: list[str],
    *,
    url: str,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> Iterator[int]:
    """Run a command until the block ends; yields its pid once `url` answers 200.

    Raises:
        EngineError: it ended, or stayed silent.
    """
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(log.open("wb")) if log is not None else subprocess.DEVNULL
        started = subprocess.Popen(
            command,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
        )
        stack.callback(_end, started)
        _wait(started, url, log)
        yield started.pid


def _until_at_rest(side: Side) -> None:
    """Wait until it uses next to no processor, or for long enough."""
    end = time.monotonic() + _REST_S
    while time.monotonic() < end:
        before = side.cpu_s
        time.sleep(5 * _POLL_S)
        if side.cpu_s - before < _POLL_S / 10:
            return


def _wait(started: "subprocess.Popen[bytes]", url: str, log: Path | None) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and started.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(_POLL_S)
    tail = log.read_text(errors="replace")[-2000:] if log is not None else ""
    raise EngineError(f"{started.args!r} did not answer at {url} within {START_S:g} s; {tail}")


def _end(started: "subprocess.Popen[bytes]") -> None:
    """End a process and what it started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        below = psutil.Process(started.pid).children(recursive=True)
        started.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.wait(15)
        for left in [*below, psutil.Process(started.pid)] if started.poll() is None else below:
            with contextlib.suppress(psutil.NoSuchProcess):
                left.kill()
        started.wait()
