"""A small base, adapters whose bytes differ, a stocked store, and two ways to run a gateway.

`arena` runs the gateway in the test's own event loop, with fake engines beside it, so that a test
can look at both sides. `served` is the whole server: supervisor, gateway and engine as processes.
"""

import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from skillweave.adapters.base.identity import BaseIdentity, identify_base
from skillweave.adapters.card import Card, Frame
from skillweave.adapters.skills import Skill, write_skill
from skillweave.adapters.store.store import Store
from skillweave.router.types import Selector
from skillweave.server.access_settings import AccessState
from skillweave.server.admission_settings import AdmissionLimits
from skillweave.server.config import ServeConfig
from skillweave.server.engines.client import open_session
from skillweave.server.engines.fake import FakeEngine
from skillweave.server.gateway.app import create_app
from skillweave.server.gateway.publishing.scratch import remove_scratch
from skillweave.server.gateway.service import Service
from skillweave.server.running import Running, serve_in_background
from skillweave.server.state_file import EngineState, ServerState
from skillweave.server.supervision.listen import free_port

from ..one_module import make_adapter, make_base

ADMIN_KEY = "admin-key-of-the-tests"
PEFT_FILES = ("adapter_config.json", "adapter_model.safetensors")
BODY = "Reverse the words, then answer with final: and the result."


def make_skill(folder: Path, *, name: str, body: str = BODY) -> Path:
    """A SKILL.md folder."""
    write_skill(Skill(name, f"Use it to {name}.", body=body), folder)
    return folder


@dataclass(frozen=True)
class Stock:
    """A store on disk, and how to put one more version into it."""

    root: Path
    base: Path
    identity: BaseIdentity
    work: Path

    @property
    def store(self) -> Store:
        return Store(self.root)

    def put(
        self,
        name: str,
        *,
        seed: int,
        rank: int = 2,
        skill: Path | None = None,
        template_args: dict[str, object] | None = None,
    ) -> str:
        """Store a version; returns its version digest."""
        folder = make_adapter(self.work / f"{name.replace('/', '.')}-{seed}", seed=seed, rank=rank)
        frame = Frame.model_validate({"template_args": template_args or {}})
        card = Card(kind="skill", base=self.identity.for_card(), frame=frame)
        version = self.store.put(folder, card=card, name=name, skill_dir=skill, base=self.identity)
        return version.version_digest


@pytest.fixture(scope="session")
def base_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def stock(base_dir: Path, tmp_path: Path) -> Stock:
    """An empty store of the test's own."""
    identity = identify_base(base_dir, cache_dir=tmp_path / "hashes")
    work = tmp_path / "work"
    work.mkdir()
    return Stock(tmp_path / "store", base_dir, identity, work)


@pytest.fixture(scope="session")
def new_skill() -> Callable[..., Path]:
    return make_skill


@dataclass
class Arena:
    """A running gateway, seen from all sides."""

    http: httpx.AsyncClient
    service: Service
    engines: list[FakeEngine]
    servers: list[web.AppRunner]

    async def stop_engines(self) -> None:
        """Every engine is gone at once, in the middle of what it does."""
        for server in self.servers:
            await server.cleanup()

    async def restart(self, number: int) -> None:
        """An engine that has ended is there again, at its old address and with an empty memory."""
        engine = self.engines[number]
        engine.adapters.clear()
        engine.held.clear()
        port = int(self.service.state.engines[number].url.rsplit(":", 1)[1])
        self.servers[number] = await start_fake(engine, port)

    async def chat(self, model: str, text: str = "hello", **more: object) -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
        return await self.http.post("/v1/chat/completions", json=body)

    async def words(self, model: str, text: str = "hello", **more: object) -> str:
        """The words of a chat answer, which must be one."""
        reply = await self.chat(model, text, **more)
        assert reply.status_code == 200, reply.text
        return str(reply.json()["choices"][0]["message"]["content"])

    async def send(
        self, verb: str, folder: Path, /, *, names: Sequence[str] = PEFT_FILES, **fields: object
    ) -> httpx.Response:
        """The files of a PEFT folder and some fields, as a form."""
        files = {name: (name, (folder / name).read_bytes()) for name in names}
        headers = {"x-skillweave-admin-key": ADMIN_KEY}
        data = {key: str(value) for key, value in fields.items()}
        return await self.http.post(f"/admin/{verb}", files=files, data=data, headers=headers)

    async def admin(self, verb: str, /, **body: object) -> httpx.Response:
        headers = {"x-skillweave-admin-key": ADMIN_KEY}
        return await self.http.post(f"/admin/{verb}", json=body, headers=headers)


async def start_fake(engine: FakeEngine, port: int) -> web.AppRunner:
    """Serve a fake engine in this event loop."""
    runner = web.AppRunner(engine.app(), handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


@asynccontextmanager
async def run_arena(
    stock: Stock | None = None,
    *,
    skills: Path | None = None,
    selector: Selector | None = None,
    engines: Sequence[FakeEngine] = (),
    max_lora_rank: int | None = 16,
    access: AccessState | None = None,
    run_dir: Path | None = None,
    admission: AdmissionLimits | None = None,
    takes_priority: bool = False,
) -> AsyncIterator[Arena]:
    """A gateway over fake engines (by default one), all in this event loop.

    Two runs with one `run_dir` are two gateways of one server; the test then removes what lies in
    memory.
    """
    fakes = list(engines) or [FakeEngine()]
    async with contextlib.AsyncExitStack() as stack:
        if run_dir is None:
            run_dir = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            stack.callback(remove_scratch, run_dir)
        states, servers = [], []
        for fake in fakes:
            fake.secret = "engine-secret"
            port = free_port()
            servers.append(await start_fake(fake, port))
            stack.push_async_callback(servers[-1].cleanup)
            url = f"http://127.0.0.1:{port}"
            states.append(EngineState(url=url, secret=fake.secret, ready=True))
        state = ServerState(
            admin_key=ADMIN_KEY,
            base_name="base",
            family=stock.identity.family_digest if stock else None,
            base_label=str(stock.base) if stock else "",
            run_dir=run_dir,
            store=stock.root if stock else None,
            skills=skills,
            max_lora_rank=max_lora_rank,
            engines=tuple(states),
            access=access or AccessState(),
            admission=admission or AdmissionLimits(),
            takes_priority=takes_priority,
        )
        session = await stack.enter_async_context(open_session())
        service = Service(state, session, selector=selector)
        await service.follow(state)
        transport = httpx.ASGITransport(create_app(service), client=("127.0.0.1", 1))
        http = await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")
        )
        yield Arena(http, service, fakes, servers)
        await service.residency.settle()
        await service.close()


RunArena = Callable[..., AbstractAsyncContextManager[Arena]]


@pytest.fixture(scope="session")
def arena() -> RunArena:
    return run_arena


@pytest.fixture(scope="session")
def served(base_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One whole server with a fake engine, shared by all tests that do not change it."""
    skills = tmp_path_factory.mktemp("skills")
    make_skill(skills / "reverse-words", name="reverse-words")
    config = ServeConfig(
        base=str(base_dir),
        store=tmp_path_factory.mktemp("store"),
        skills=skills,
        port=0,
        engine="fake",
        admin_key=ADMIN_KEY,
        engine_args=("--token-delay", "0.01"),
    )
    with serve_in_background(config) as running:
        yield running
