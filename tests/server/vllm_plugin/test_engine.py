"""Our plugin inside a real engine: purity of mixed batches, what is held, removal, the store.

One engine for the whole module, without a gateway: two slots, room for four adapters in memory.
"""

import secrets
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from skillweave.adapters import Card, Delta, Store, identify_base, write_peft
from skillweave.distill.tiny_base import tiny_base_path
from skillweave.server.config import ServeConfig
from skillweave.server.engines.flags import Facts
from skillweave.server.engines.launch import Place, plan_vllm
from skillweave.server.supervision.listen import free_port

pytestmark = pytest.mark.vllm

SLOTS, HOST, RANK = 2, 4, 8
START_S = 120.0


@dataclass(frozen=True)
class Engine:
    """A running engine; `loud` are folders of adapters that change every answer."""

    client: httpx.Client
    loud: tuple[Path, ...]

    def post(self, path: str, **body: object) -> httpx.Response:
        return self.client.post(path, json=body)

    def load(self, name: str, number: int, **more: object) -> None:
        body = {"lora_name": name, "lora_path": str(self.loud[number]), **more}
        self.post("/v1/load_lora_adapter", **body).raise_for_status()

    def remove(self, name: str) -> int:
        return self.post("/v1/skillweave/remove", lora_name=name).status_code

    def held(self) -> dict[str, Any]:
        reply = self.client.get("/v1/skillweave/residency")
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def names(self) -> set[str]:
        return {model["id"] for model in self.client.get("/v1/models").json()["data"]}

    def ids(self, model: str, prompt: list[int], num_tokens: int = 16) -> list[int]:
        reply = self.post(
            "/v1/completions",
            model=model,
            prompt=prompt,
            max_tokens=num_tokens,
            temperature=0,
            ignore_eos=True,
            return_token_ids=True,
        )
        assert reply.status_code == 200, reply.text
        return list(reply.json()["choices"][0]["token_ids"])

    def ids_together(self, asked: list[tuple[str, list[int]]]) -> list[list[int]]:
        with ThreadPoolExecutor(len(asked)) as pool:
            return list(pool.map(lambda one: self.ids(*one), asked))


def prompt(number: int) -> list[int]:
    rng = torch.Generator().manual_seed(number)
    return torch.randint(10, 250, (20,), generator=rng).tolist()  # type: ignore[no-any-return]


def loud_adapter(folder: Path, modules: dict[str, tuple[int, int]], seed: int) -> Path:
    """A random adapter on some projections; every second rank is half of what the engine allows."""
    rng = torch.Generator().manual_seed(seed)
    rank = RANK if seed % 2 else RANK // 2
    delta = {
        name: Delta(
            torch.randn(rank, into, generator=rng) / into**0.5,
            torch.randn(out, rank, generator=rng) / rank**0.5,
            1.0,
        )
        for name, (out, into) in modules.items()
        if name.endswith(("q_proj", "v_proj", "o_proj", "up_proj", "down_proj"))
    }
    write_peft(delta, folder)
    return folder


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    work = tmp_path_factory.mktemp("engine")
    base = identify_base(tiny_base_path(), cache_dir=work / "hashes")
    loud = tuple(loud_adapter(work / f"loud-{n}", dict(base.modules), n) for n in range(5))
    store, card = Store(work / "store"), Card(kind="skill", base=base.for_card())
    store.put(loud[0], card=card, name="stored", base=base)
    place = Place(free_port(), secrets.token_hex(8), work)
    words = ("--max-cpu-loras", str(HOST))
    config = ServeConfig(
        base=str(tiny_base_path()),
        threads=1,
        lora_slots=SLOTS,
        max_lora_rank=RANK,
        max_model_len=512,
        engine_args=words,
    )
    launch = plan_vllm(config, Facts(device="cpu"), place)
    url, log = f"http://127.0.0.1:{place.port}", work / "engine.log"
    env = {**launch.env, "SKILLWEAVE_STORE": str(store.root)}
    with (
        log.open("wb") as sink,
        subprocess.Popen(launch.command, env=env, stdout=sink, stderr=sink) as process,
    ):
        try:
            wait_until_up(process, url, log)
            bearer = {"authorization": f"Bearer {place.secret}"}
            with httpx.Client(base_url=url, headers=bearer, timeout=60) as client:
                yield Engine(client, loud)
        finally:
            process.terminate()


def wait_until_up(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            httpx.get(f"{url}/health", timeout=5)
        except httpx.HTTPError:
            time.sleep(0.3)
        else:
            return
    pytest.fail(f"the engine did not come up: {log.read_text(errors='replace')[-2000:]}")


@pytest.fixture
def engine(shared: Engine) -> Iterator[Engine]:
    """The engine, empty before and after."""
    assert shared.held()["host"] == []
    yield shared
    for name in {*shared.held()["host"], *shared.names() - {"base"}}:
        assert shared.remove(name) == 200
    assert shared.held()["slots"] == []


def test_base_answers_do_not_depend_on_who_else_is_in_the_batch(engine: Engine) -> None:
    """Fails on the stock path: with every slot taken, base rows get the last slot's adapter."""
    engine.load("a", 0)
    engine.load("b", 1)
    asked = [(model, prompt(n)) for n in range(6) for model in ("base", "a", "b")]
    alone = [engine.ids(*one) for one in asked]
    base, a, b = alone[::3], alone[1::3], alone[2::3]
    for changed in (a, b):
        assert sum(one != other for one, other in zip(changed, base, strict=True)) >= 4
    assert a != b
    assert engine.ids_together(asked) == alone


def test_what_is_held_is_told_by_name(engine: Engine) -> None:
    limits = {"max_loras": SLOTS, "max_cpu_loras": HOST, "max_lora_rank": RANK}
    assert engine.held() == {"slots": [], "host": [], "pinned": [], **limits}
    for number, name in enumerate("abc"):
        engine.load(name, number)
    held = engine.held()
    assert held["host"] == ["a", "b", "c"]
    assert held["slots"] == ["b", "c"]
    engine.ids("a", prompt(0))
    assert engine.held()["slots"] == ["a", "c"]


def test_removed_means_gone_from_slot_memory_and_list(engine: Engine) -> None:
    engine.load("a", 0)
    engine.load("b", 1)
    before = engine.ids("b", prompt(0))
    assert engine.remove("a") == 200
    assert engine.held()["slots"] == engine.held()["host"] == ["b"]
    assert "a" not in engine.names()
    refused = engine.post("/v1/completions", model="a", prompt="x")
    assert refused.status_code == 404
    assert engine.remove("a") == 404
    engine.load("a", 2)
    assert engine.ids("b", prompt(0)) == before
    assert engine.ids("a", prompt(0)) != before


def test_removal_waits_for_the_requests_that_use_it(engine: Engine) -> None:
    engine.load("a", 0)
    expected = engine.ids("a", prompt(0), 150)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(engine.ids, "a", prompt(0), 150)
        while "a" not in engine.held()["slots"] or not _num_running(engine):
            assert not running.done()
        assert engine.remove("a") == 200
        assert engine.held()["host"] == []
        assert running.result() == expected


def _num_running(engine: Engine) -> float:
    lines = engine.client.get("/metrics").text.splitlines()
    told = [line for line in lines if line.startswith("vllm:num_requests_running")]
    return float(told[0].rsplit(" ", 1)[1])


def test_vllms_own_unload_frees_as_well(engine: Engine) -> None:
    engine.load("a", 0)
    assert engine.post("/v1/unload_lora_adapter", lora_name="a").status_code == 200
    assert engine.held()["host"] == []
    assert engine.post("/v1/unload_lora_adapter", lora_name="a").status_code == 404


def test_pinned_adapters_are_not_pushed_out_and_leave_room_for_a_batch(engine: Engine) -> None:
    def pin(name: str, pinned: bool = True) -> int:
        return engine.post("/v1/skillweave/pin", lora_name=name, pinned=pinned).status_code

    assert pin("a") == 404
    for number, name in enumerate("abc"):
        engine.load(name, number)
    assert [pin(name) for name in "abc"] == [200, 200, 409]
    assert engine.held()["pinned"] == ["a", "b"]
    engine.load("d", 3)
    engine.load("e", 4)
    assert engine.held()["host"] == ["a", "b", "d", "e"]
    assert pin("a", False) == 200
    engine.load("f", 0)
    assert engine.held()["host"] == ["b", "d", "e", "f"]
    assert engine.remove("b") == 200
    assert engine.held()["pinned"] == []


def test_a_slot_that_is_loaded_anew_in_place_answers_anew(engine: Engine) -> None:
    engine.load("a", 0)
    first = engine.ids("a", prompt(0))
    engine.load("b", 1)
    wanted = engine.ids("b", prompt(0))
    engine.load("a", 1, load_inplace=True)
    assert engine.ids("a", prompt(0)) == wanted != first


def test_the_engine_knows_our_store(engine: Engine) -> None:
    engine.load("a", 0)
    wanted = engine.ids("a", prompt(0))
    for name in ("stored", "stored@1", "stored@latest"):
        assert engine.ids(name, prompt(0)) == wanted
    for name in ("stored@2", "nothing", "../store", str(engine.loud[0]), "stored:text"):
        refused = engine.post("/v1/completions", model=name, prompt="x", max_tokens=1)
        assert refused.status_code == 404


@pytest.mark.parametrize("path", ["residency", "remove", "pin"])
def test_control_routes_want_the_engines_key(engine: Engine, path: str) -> None:
    url = f"{engine.client.base_url}/v1/skillweave/{path}"
    method = "GET" if path == "residency" else "POST"
    assert httpx.request(method, url, json={"lora_name": "a"}).status_code == 401


def test_control_routes_refuse_what_they_do_not_know(engine: Engine) -> None:
    for body in ({}, {"lora_name": ""}, {"lora_name": "a", "lora_path": "/"}, {"lora_name": 1}):
        assert engine.post("/v1/skillweave/remove", **body).status_code == 400
