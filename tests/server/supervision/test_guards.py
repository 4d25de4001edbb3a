"""What ends is started again, what keeps ending disturbs nobody, and clients see as little as can
be. Whole servers with fake engines.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from aiohttp import web
from skillweave.server.config import ServeConfig
from skillweave.server.running import Running, serve_in_background
from skillweave.server.state_file import EngineState
from skillweave.server.supervision.guards import ForeignGuard
from skillweave.server.supervision.listen import free_port

METRICS_KEY = "metrics-key-of-the-tests"
ADMIN_KEY = "admin-key-of-the-tests"
ASKED = {"model": "base", "messages": [{"role": "user", "content": "hello"}]}
SQL = ASKED | {"model": "sql"}


@pytest.fixture
def configure(base_dir: Path, tmp_path: Path) -> Callable[..., ServeConfig]:
    def make(**fields: object) -> ServeConfig:
        given = {"base": str(base_dir), "store": tmp_path / "store", "port": 0, "engine": "fake"}
        given |= {"stop_timeout_s": 3, "restart_longest_s": 0.3}
        return ServeConfig.model_validate({**given, **fields})

    return make


def wait_for(condition: Callable[[], bool], *, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "this did not come to pass"
        time.sleep(0.02)


def metric(running: Running, name: str) -> float | None:
    """One series of a scrape; None where it is not there."""
    text = httpx.get(f"{running.root}/metrics").text
    found = re.search(rf"^{re.escape('skillweave_' + name)} (\S+)$", text, re.M)
    return float(found[1]) if found else None


def status(running: Running, path: str) -> int:
    return httpx.get(f"{running.root}{path}", timeout=10).status_code


def engine_below(keeper: int) -> psutil.Process:
    (engine,) = psutil.Process(keeper).children()
    return engine


def deaths(folder: Path, count: int) -> Path:
    """A folder that lets so many starts of a fake engine fail."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        (folder / str(number)).touch()
    return folder


@pytest.mark.slow
def test_an_engine_that_fails_does_not_keep_the_other_from_serving(
    configure: Callable[..., ServeConfig], stock: Any, tmp_path: Path
) -> None:
    stock.put("sql", seed=1)
    folder = deaths(tmp_path / "deaths", 1)  # one engine of the two fails at its first start
    config = configure(store=stock.root, num_engines=2, engine_args=("--die-for", str(folder)))
    with serve_in_background(config) as running:
        assert len(running.pids) == 4
        assert httpx.post(f"{running.url}/chat/completions", json=ASKED).status_code == 200
        wait_for(lambda: [metric(running, f'engine_ready{{engine="{i}"}}') for i in "01"] == [1, 1])
        restarts = [metric(running, f'engine_restarts{{engine="{i}"}}') for i in "01"]
        assert sorted(restarts) == [0, 1]  # type: ignore[type-var]
        both = [httpx.post(f"{running.url}/chat/completions", json=SQL).json() for _ in range(4)]
        assert len({reply["choices"][0]["message"]["content"] for reply in both}) == 1


@pytest.mark.slow
def test_the_only_engine_may_fail_again_and_again(
    configure: Callable[..., ServeConfig], tmp_path: Path
) -> None:
    folder = deaths(tmp_path / "deaths", 0)
    config = configure(engine_args=("--die-for", str(folder)))
    lines: list[str] = []
    with serve_in_background(config, say=lines.append) as running:
        deaths(folder, 3)  # more than any patience that counts
        engine_below(running.pids[2]).kill()
        wait_for(lambda: status(running, "/ready") == 503)
        assert status(running, "/health") == 200
        refused = httpx.post(f"{running.url}/chat/completions", json=ASKED)
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        wait_for(lambda: status(running, "/ready") == 200)
        assert metric(running, 'engine_restarts{engine="0"}') == 4
        recovery_s = metric(running, 'engine_recovery_seconds{engine="0"}')
        assert recovery_s is not None
        assert recovery_s > 0
        assert httpx.post(f"{running.url}/chat/completions", json=ASKED).status_code == 200


@pytest.mark.slow
def test_an_engine_that_hangs_is_ended(configure: Callable[..., ServeConfig]) -> None:
    with serve_in_background(configure(hang_timeout_s=1.5)) as running:
        engine = engine_below(running.pids[2])
        engine.suspend()
        wait_for(lambda: not engine.is_running())
        wait_for(lambda: metric(running, 'engine_ready{engine="0"}') == 1)
        assert metric(running, 'engine_restarts{engine="0"}') == 1


@pytest.mark.slow
def test_before_its_end_a_server_says_so_and_goes_on_answering(
    configure: Callable[..., ServeConfig], tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    with serve_in_background(configure(drain_s=60, log_dir=logs)) as running:
        os.kill(running.pids[0], signal.SIGTERM)
        wait_for(lambda: status(running, "/ready") == 503)
        assert httpx.get(f"{running.root}/ready").json()["problem"] == "the server is about to end"
        assert httpx.post(f"{running.url}/chat/completions", json=ASKED).status_code == 200
        wait_for(lambda: bool((logs / "access.log").read_text()))
        os.kill(running.pids[0], signal.SIGTERM)  # asked again, it ends at once
        wait_for(lambda: not psutil.pid_exists(running.pids[1]))
    (line,) = (logs / "access.log").read_text().splitlines()
    assert json.loads(line)["status"] == 200


def test_a_foreign_engine_that_answers_wrongly_is_not_asked_all_the_time() -> None:
    healthy, key_right, asked = True, True, 0

    async def health(request: web.Request) -> web.Response:
        return web.Response(status=200 if healthy else 503)

    async def models(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.json_response(
            {"data": []} if key_right else {}, status=200 if key_right else 401
        )

    async def test() -> None:
        nonlocal healthy, key_right
        app = web.Application()
        app.add_routes([web.get("/health", health), web.get("/v1/models", models)])
        port = free_port()
        lines: list[str] = []
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        guard = ForeignGuard(
            EngineState(url=f"http://127.0.0.1:{port}"),
            timeout_s=20,
            say=lines.append,
            changed=lambda: None,
            silent_s=0.1,
        )
        keeping = asyncio.create_task(guard.keep())
        assert await guard.settled is None
        healthy = key_right = False
        while guard.state.ready:
            await asyncio.sleep(0.01)
        healthy = True  # it is back, with another key
        while asked == 1:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await runner.cleanup()
        assert asked == 2
        assert any("is its key right?" in line for line in lines)

    asyncio.run(test())


ORPHANS = """
import ctypes, subprocess, sys, time
from skillweave.server.supervision.reaper import reap_strangers
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # orphans come to us, as they do to process 1
ours = subprocess.Popen(["true"])
subprocess.run(["sh", "-c", "true & true &"])
seen = []
for _ in range(200):
    seen += reap_strangers({ours.pid})
    time.sleep(0.01)
    if len(seen) == 2:
        break
print(len(seen), ours.wait())
"""


def test_orphans_are_collected_and_children_of_somebody_are_not() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ORPHANS], capture_output=True, text=True, check=True
    )
    assert ended.stdout.split() == ["2", "0"]


@pytest.mark.slow
def test_no_log_has_a_prompt_and_no_process_shows_a_secret(base_dir: Path, tmp_path: Path) -> None:
    """In the foreground, as an operator starts it."""
    (tmp_path / "serve.toml").write_text(
        f"engine = 'fake'\nport = 0\nbase = '{base_dir}'\nstore = '{tmp_path / 'store'}'\n"
        f"log_dir = '{tmp_path / 'logs'}'\nlog_level = 'debug'\naccess_log_file = '-'\n"
    )
    env = {**os.environ, "SKILLWEAVE_ADMIN_KEY": ADMIN_KEY, "SKILLWEAVE_METRICS_KEY": METRICS_KEY}
    command = [sys.executable, "-m", "skillweave.scripts.cli", "serve", "--config", "serve.toml"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        heard = []
        for line in server.stdout:
            heard.append(line)
            if line.startswith("Ctrl-C"):
                break
        (url,) = re.findall(r"ready after .*: (\S+)", "".join(heard))
        for text, model in (("a quixotic prompt", "base"), ("quixotic, too", "nope")):
            body = {"model": model, "messages": [{"role": "user", "content": text}]}
            httpx.post(f"{url}/chat/completions", json=body, headers={"x-request-id": "mine"})
        metrics = f"{url.removesuffix('/v1')}/metrics"
        right = {"authorization": f"Bearer {METRICS_KEY}"}
        assert httpx.get(metrics).status_code == 401
        assert httpx.get(metrics, headers=right).status_code == 200
        shown = [seen_from_outside(p) for p in psutil.Process(server.pid).children(recursive=True)]
        server.terminate()
        heard += server.stdout.readlines()
    assert len(shown) == 3  # gateway, keeper, engine
    assert not [words for words in shown if ADMIN_KEY in words or METRICS_KEY in words]
    written = "".join(file.read_text() for file in (tmp_path / "logs").iterdir())
    assert not [word for word in ("quixotic", ADMIN_KEY) if word in "".join(heard) + written]
    told = [json.loads(line) for line in heard if line.startswith("{")]
    chats = [line for line in told if line["path"] == "/v1/chat/completions"]
    assert [(line["request_id"], line["status"]) for line in chats] == [
        ("mine", 200),
        ("mine", 404),
    ]


def seen_from_outside(process: psutil.Process) -> str:
    """Command line and environment."""
    return " ".join([*process.cmdline(), *process.environ().values()])
