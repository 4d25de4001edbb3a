"""A vLLM of a bench's own: started, waited for, asked by POST, ended.

Owns the process and the plain request. Refuses to own flags (`server/engines`) and figures.
"""

import contextlib
import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...adapters import EngineError
from ...server.engines.launch import Launch

START_S = 300.0


@contextlib.contextmanager
def started(launch: Launch, url: str, log: Path) -> Iterator[str]:
    """Start an engine, yield its address when it answers, end it.

    Raises:
        EngineError: it does not come up; the end of its log is in the message.
    """
    with log.open("wb") as sink:
        process = subprocess.Popen(launch.command, env=dict(launch.env), stdout=sink, stderr=sink)
        try:
            _wait(process, url, log)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def post(url: str, body: Mapping[str, object], *, key: str, timeout_s: float = 60.0) -> None:
    """Have an engine do something.

    Raises:
        EngineError: it refuses, or does not answer in time.
    """
    request = urllib.request.Request(
        url,
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json", "authorization": f"Bearer {key}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as reply:
            reply.read()
    except OSError as err:
        raise EngineError(f"the engine refused {url} with {body}: {err}") from err


def _wait(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=5):
            return
        time.sleep(0.5)
    tail = log.read_text(errors="replace")[-2000:]
    raise EngineError(f"vLLM did not come up within {START_S} s; its log ends:\n{tail}")
