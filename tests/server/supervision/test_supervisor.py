"""The whole server as processes, with the fake engine: it starts, it heals, it leaves nothing."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from openai import NotFoundError, OpenAI
from skillweave.adapters.errors import EngineError, PortInUse, UsageError
from skillweave.server.config import ServeConfig
from skillweave.server.events import Line, Ready, parse_event
from skillweave.server.running import Running, serve_in_background
from skillweave.server.supervision.supervisor import Supervisor

Configure = Callable[..., ServeConfig]


@pytest.fixture
def configure(base_dir: Path, tmp_path: Path) -> Configure:
    def make(**fields: object) -> ServeConfig:
        given = {"base": str(base_dir), "store": tmp_path / "store", "port": 0, "engine": "fake"}
        return ServeConfig.model_validate({**given, "stop_timeout_s": 3, **fields})

    return make


@pytest.fixture(autouse=True)
def _temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every server keeps its temporary files here, and must leave none."""
    folder = Path(tempfile.mkdtemp(prefix="sw-test-"))
    monkeypatch.setenv("TMPDIR", str(folder))
    yield
    wait_for(lambda: not list(folder.iterdir()))
    folder.rmdir()


def wait_for(condition: Callable[[], bool], *, timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "this did not come to pass"
        time.sleep(0.02)


def tree(pid: int) -> list[psutil.Process]:
    """A process and all below it."""
    top = psutil.Process(pid)
    return [top, *top.children(recursive=True)]


def all_gone(processes: list[psutil.Process]) -> bool:
    def ended(process: psutil.Process) -> bool:
        try:
            return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    return all(ended(process) for process in processes)


def port_of(running: Running) -> int:
    return int(running.root.rsplit(":", 1)[1])


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def answers(running: Running) -> bool:
    try:
        return httpx.get(f"{running.root}/ready", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def ask(running: Running, model: str = "base") -> str:
    with OpenAI(base_url=running.url, api_key="none", max_retries=0) as client:
        reply = client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "hello"}]
        )
    return str(reply.choices[0].message.content)


def test_the_official_client(served: Running) -> None:
    with OpenAI(base_url=served.url, api_key="none") as client:
        assert [model.id for model in client.models.list()] == ["base", "reverse-words"]
        assert client.models.retrieve("base").id == "base"
        stream = client.chat.completions.create(
            model="reverse-words", messages=[{"role": "user", "content": "a b"}], stream=True
        )
        chunks = list(stream)
        assert {chunk.model for chunk in chunks} == {"reverse-words"}
        assert "".join(c.choices[0].delta.content or "" for c in chunks).endswith("a b")
        raw = client.chat.completions.with_raw_response.create(
            model="reverse-words", messages=[{"role": "user", "content": "a b"}]
        )
        assert raw.headers["x-skillweave-form"] == "text"
        with pytest.raises(NotFoundError):
            ask(served, "nope")


def test_a_client_who_leaves_cancels_the_engine_s_work(served: Running) -> None:
    engine = engine_url(served)
    before = httpx.get(f"{engine}/fake").json()["aborted"]
    body = {
        "model": "base",
        "messages": [{"role": "user", "content": "w " * 60}],
        "stream": True,
    }
    with httpx.stream("POST", f"{served.url}/chat/completions", json=body) as reply:
        next(reply.iter_bytes())
    wait_for(lambda: httpx.get(f"{engine}/fake").json()["aborted"] == before + 1)


def test_streams_arrive_while_they_are_made(served: Running) -> None:
    body = {"model": "base", "messages": [{"role": "user", "content": "a b c"}], "stream": True}
    with httpx.stream("POST", f"{served.url}/chat/completions", json=body) as reply:
        pieces = [piece for piece in reply.iter_raw() if piece]
    assert len(pieces) > 2


def admin_state(running: Running) -> dict[str, Any]:
    headers = {"x-skillweave-admin-key": running.admin_key}
    state: dict[str, Any] = httpx.get(f"{running.root}/admin/state", headers=headers).json()
    return state


def engine_url(running: Running) -> str:
    return str(admin_state(running)["engines"][0]["url"])


def test_the_engine_is_private(served: Running) -> None:
    assert httpx.get(f"{engine_url(served)}/v1/models").status_code == 401


@pytest.mark.slow
def test_flags_have_reasons_and_after_the_block_nothing_is_left(configure: Configure) -> None:
    lines: list[str] = []
    with serve_in_background(configure(), say=lines.append) as running:
        processes = tree(running.pids[0])
        assert len(processes) == 4  # supervisor, gateway, keeper, engine
        assert answers(running)
    assert all_gone(processes)
    assert port_is_free(port_of(running))
    assert any("--max-lora-rank 16" in line and "largest stored rank" in line for line in lines)


@pytest.mark.slow
def test_a_killed_supervisor_takes_everything_along(configure: Configure) -> None:
    with serve_in_background(configure()) as running:
        processes = tree(running.pids[0])
        os.kill(running.pids[0], signal.SIGKILL)
        wait_for(lambda: all_gone(processes))
        wait_for(lambda: port_is_free(port_of(running)))


@pytest.mark.slow
def test_what_is_killed_comes_back_as_it_was(configure: Configure, stock: Any) -> None:
    stock.put("sql", seed=1)
    lines: list[str] = []
    with serve_in_background(configure(store=stock.root), say=lines.append) as running:
        before = ask(running, "sql")
        kill_the_gateway(running)
        assert ask(running, "sql") == before
        engine = engine_url(running)
        assert list(httpx.get(f"{engine}/fake").json()["adapters"]) == [loaded_name(stock)]
        (process,) = psutil.Process(running.pids[2]).children()
        process.kill()
        wait_for(lambda: engine_url(running) != engine and admin_state(running)["ready"])
        loads = httpx.get(f"{engine_url(running)}/fake").json()["loads"]
        assert loads == [loaded_name(stock)]
        assert ask(running, "sql") == before
    assert any("gateway ended and is started again" in line for line in lines)


def kill_the_gateway(running: Running) -> None:
    """Clients wait in the socket meanwhile, and the engine lives on."""
    gateway, keeper = running.pids[1:]
    engine = [child.pid for child in psutil.Process(keeper).children()]
    os.kill(gateway, signal.SIGKILL)
    wait_for(lambda: not psutil.pid_exists(gateway))
    body = {"model": "base", "messages": [{"role": "user", "content": "hello"}]}
    reply = httpx.post(f"{running.url}/chat/completions", json=body, timeout=20)
    # The socket stayed open: an answer, or the word that engines are being taken over.
    assert reply.status_code in (200, 503)
    wait_for(lambda: answers(running))
    wait_for(lambda: "skillweave_gateway_restarts 1.0" in httpx.get(f"{running.root}/metrics").text)
    assert [child.pid for child in psutil.Process(keeper).children()] == engine


def loaded_name(stock: Any) -> str:
    return "sql--v1--" + str(stock.store.resolve("sql").version_digest[:12])


@pytest.mark.slow
def test_an_engine_that_dies_at_its_start_says_its_last_words(configure: Configure) -> None:
    config = configure(num_engines=2, engine_args=("--die", "no such device"))
    began = time.monotonic()
    with (
        pytest.raises(EngineError, match=r"exit status 3(.|\n)*no such device"),
        serve_in_background(config),
    ):
        pass
    assert time.monotonic() - began < config.start_timeout_s / 2


@pytest.mark.slow
def test_an_engine_that_starts_but_cannot_answer(configure: Configure) -> None:
    config = configure(engine_args=("--fail", "head_dim=16 is unsupported"))
    with (
        pytest.raises(EngineError, match="first request with 500: head_dim=16"),
        serve_in_background(config),
    ):
        pass


@pytest.mark.slow
def test_an_engine_that_never_answers(configure: Configure) -> None:
    config = configure(engine_args=("--start-delay", "60"), start_timeout_s=0.5)
    with pytest.raises(EngineError, match=r"within 0\.5 s"), serve_in_background(config):
        pass


def test_a_base_that_is_no_folder(configure: Configure) -> None:
    supervisor = Supervisor(configure(base="./no"), on_event=lambda event: None)
    with pytest.raises(UsageError, match="no folder"):
        asyncio.run(supervisor.run())


@pytest.mark.slow
def test_a_taken_port_is_found_before_anything_starts(configure: Configure) -> None:
    lines: list[str] = []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config = configure(port=taken.getsockname()[1])
        with (
            pytest.raises(PortInUse, match="--port"),
            serve_in_background(config, say=lines.append),
        ):
            pass
    assert lines == []


@pytest.mark.slow
def test_fronting_an_engine_that_we_did_not_start(
    configure: Configure, stock: Any, served: Running
) -> None:
    stock.put("sql", seed=1)
    command = psutil.Process(served.pids[1]).cmdline()
    inside = json.loads(Path(command[command.index("--state") + 1]).read_text())["engines"][0]
    config = configure(
        store=stock.root, engine_url=inside["url"] + "/v1", engine_key=inside["secret"]
    )
    with serve_in_background(config) as outer:
        assert len(outer.pids) == 2
        assert ask(outer, "base") == ask(served, "base")
        assert ask(outer, "sql") != ask(outer, "base")
    assert answers(served)  # it is not ours to stop


@pytest.mark.slow
def test_a_foreign_engine_that_is_not_there(configure: Configure) -> None:
    config = configure(engine_url="http://127.0.0.1:9", start_timeout_s=0.3)
    with pytest.raises(EngineError, match="is it running"), serve_in_background(config):
        pass


PHASES = {
    "at once": None,
    "planned": "store ",
    "flags": "--enable-lora",
    "engine starting": "--disable-uvicorn-access-log",
    "ready": "ready",
}
SIGNALS = [
    ("at once", signal.SIGINT),
    ("at once", signal.SIGTERM),
    ("planned", signal.SIGTERM),
    ("flags", signal.SIGINT),
    ("engine starting", signal.SIGTERM),
    ("ready", signal.SIGINT),  # SIGTERM ends every server of the other tests
]
"""One handler takes both."""


@pytest.mark.slow
@pytest.mark.parametrize(("phase", "number"), SIGNALS)
def test_a_signal_in_any_phase_leaves_nothing(
    configure: Configure, phase: str, number: signal.Signals
) -> None:
    slow = ("--start-delay", "0.7") if phase == "engine starting" else ()
    config = configure(engine_args=slow)
    with supervisor_process(config) as supervisor:
        assert supervisor.stdout is not None
        mark = PHASES[phase]
        for line in supervisor.stdout if mark else ():
            event = parse_event(line)
            if isinstance(event, Ready) or (isinstance(event, Line) and mark in event.text):
                break
        if phase == "engine starting":
            time.sleep(0.3)
        processes = tree(supervisor.pid)
        supervisor.send_signal(number)
        drain = threading.Thread(target=supervisor.stdout.read)
        drain.start()
        supervisor.wait(timeout=15)
        drain.join()
        wait_for(lambda: all_gone(processes))


@contextlib.contextmanager
def supervisor_process(config: ServeConfig) -> Iterator["subprocess.Popen[str]"]:
    """A supervisor that has its configuration; killed at the end, should it still run."""
    with subprocess.Popen(
        [sys.executable, "-m", "skillweave.server.main"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as supervisor:
        assert supervisor.stdin is not None
        supervisor.stdin.write(config.model_dump_json() + "\n")
        supervisor.stdin.flush()
        try:
            yield supervisor
        finally:
            supervisor.kill()


@pytest.mark.slow
def test_the_death_of_the_caller_ends_the_server(configure: Configure, tmp_path: Path) -> None:
    mark = tmp_path / "pids"
    script = (
        "import json, sys, time\n"
        "from skillweave.server.config import ServeConfig\n"
        "from skillweave.server.running import serve_in_background\n"
        f"config = ServeConfig.model_validate_json({configure().model_dump_json()!r})\n"
        "with serve_in_background(config) as running:\n"
        f"    open({str(mark)!r}, 'w').write(json.dumps(running.pids) + '\\n')\n"
        "    time.sleep(600)\n"
    )
    caller = subprocess.Popen([sys.executable, "-c", script])
    wait_for(lambda: mark.exists() and mark.read_text().endswith("\n"))
    processes = [p for pid in json.loads(mark.read_text()) for p in tree(pid)]
    caller.kill()
    caller.wait()
    wait_for(lambda: all_gone(processes))
