"""What is published outlives a killed gateway and a killed engine, and no memory outlives a server.

Whole servers with the stand-in for an engine, as processes.
"""

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from skillweave.server.config import ServeConfig
from skillweave.server.memory_folders import MEMORY
from skillweave.server.running import Running, serve_in_background

from ...one_module import make_adapter

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)


@pytest.fixture
def running(stock: Any) -> Iterator[Running]:
    for seed in (1, 2):
        stock.put("sql", seed=seed)
    config = ServeConfig(
        base=str(stock.base),
        store=stock.root,
        port=0,
        engine="fake",
        num_engines=2,
        stop_timeout_s=3,
    )
    with serve_in_background(config) as server:
        yield server


def until(condition: Callable[[], bool], *, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "this did not come to pass"
        time.sleep(0.02)


def admin(server: Running, verb: str, **more: Any) -> httpx.Response:
    headers = {"x-skillweave-admin-key": server.admin_key}
    reply = httpx.post(f"{server.root}/admin/{verb}", headers=headers, timeout=30, **more)
    assert reply.status_code == 200, reply.text
    return reply


def publish(server: Running, folder: Path, step: int) -> None:
    names = ("adapter_config.json", "adapter_model.safetensors")
    files = {name: (name, (folder / name).read_bytes()) for name in names}
    admin(server, "publish", files=files, data={"run": "rl", "step": str(step)})


def state(server: Running) -> dict[str, Any]:
    headers = {"x-skillweave-admin-key": server.admin_key}
    found: dict[str, Any] = httpx.get(f"{server.root}/admin/state", headers=headers).json()
    return found


def words(server: Running, model: str, session: str = "s") -> str:
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
    headers = {"x-skillweave-session": session}
    reply = httpx.post(f"{server.url}/chat/completions", json=body, headers=headers, timeout=30)
    assert reply.status_code == 200, reply.text
    return str(reply.json()["choices"][0]["message"]["content"])


def whole(server: Running, *, without: int = 0) -> bool:
    """Both engines run, neither is the process `without`, and the gateway takes requests."""
    try:
        ready = httpx.get(f"{server.root}/ready", timeout=5).status_code == 200
        return ready and all(e["ready"] and e["pid"] != without for e in state(server)["engines"])
    except (httpx.HTTPError, ValueError, KeyError):
        return False


def loads(server: Running) -> list[list[str]]:
    """What each engine was asked to load, in its life."""
    return [sorted(httpx.get(f"{e['url']}/fake").json()["loads"]) for e in state(server)["engines"]]


def gateway_of(server: Running) -> int:
    mine = psutil.Process(server.pids[0]).children()
    return next(p.pid for p in mine if "skillweave.server.gateway" in p.cmdline())


def folders() -> set[Path]:
    """What lies in memory for any server."""
    return set(MEMORY.glob("skillweave-steps-*"))


def test_steps_splits_and_versions_outlive_gateway_and_engine(running: Running, stock: Any) -> None:
    for step in (1, 2):
        publish(running, make_adapter(stock.work / f"s{step}", seed=step), step)
    weights = {"1": 1, "2": 1}
    admin(running, "split", json={"name": "sql", "alias": "default", "weights": weights})
    asked = [("rl@1", "s"), ("rl@latest", "s"), *(("sql", name) for name in "abcdef")]
    before = {each: words(running, *each) for each in asked}
    assert len(set(before.values())) == 4
    was = loads(running)
    assert [len(names) for names in was] == [4, 4]

    os.kill(gateway_of(running), signal.SIGKILL)
    until(lambda: whole(running))
    assert {each: words(running, *each) for each in asked} == before
    assert loads(running) == was  # adopted, not loaded again

    dead = state(running)["engines"][0]
    os.kill(psutil.Process(dead["pid"]).children()[0].pid, signal.SIGKILL)
    until(lambda: whole(running, without=dead["pid"]))
    until(lambda: loads(running) == was)  # the new one gets everything without being asked
    assert {each: words(running, *each) for each in asked} == before


def test_no_memory_outlives_a_server(running: Running, stock: Any) -> None:
    others = folders()
    publish(running, make_adapter(stock.work / "s", seed=1), 1)
    mine = folders() - others
    assert len(mine) == 1
    os.kill(running.pids[0], signal.SIGKILL)
    until(lambda: not mine & folders())
