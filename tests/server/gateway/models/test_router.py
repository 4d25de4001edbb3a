"""A saved router on a running server: set, kept over a restart of the gateway, refused if unfit."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from skillweave.router import DevState, Message, RoutedSkill, Router, State
from skillweave.server.gateway.models.selector import current_path
from skillweave.server.state_file import ServerState

SAID = {
    "sql": ("total revenue per month from the orders table", "count rows of the orders table"),
    "csv": ("remove empty columns from this sheet", "trim every cell of the sheet"),
}


def state(text: str) -> State:
    return State((Message("user", text),))


def fit(folder: Path, *, base: str) -> Path:
    skills = [RoutedSkill(name, said[0], said, form="adapter") for name, said in SAID.items()]
    dev = [DevState(state(said[1] + " please"), name) for name, said in SAID.items()]
    dev += [DevState(state("who painted the ceiling of the chapel"), None)]
    Router.fit(skills, dev, base=base).save(folder)
    return folder


def test_set_router(arena: Any, stock: Any, tmp_path: Path) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        stock.put("csv", seed=2)
        folder = fit(tmp_path / "router", base=stock.identity.family_digest)
        async with arena(stock) as a:
            assert (await a.chat("auto", SAID["sql"][0])).status_code == 400
            assert (await a.admin("router", path=str(folder))).status_code == 200
            for name, said in SAID.items():
                reply = await a.chat("auto", said[0])
                assert reply.headers["x-skillweave-adapter"] == name
                assert reply.headers["x-skillweave-route"].startswith("auto")
            listed = (await a.http.get("/v1/models")).json()["data"]
            assert "auto" in [model["id"] for model in listed]

    asyncio.run(test())


@pytest.mark.parametrize(
    ("base", "status", "code"), [(None, 422, "router_refused"), ("0" * 64, 409, "stale_router")]
)
def test_an_unfit_router_changes_nothing(
    arena: Any, stock: Any, tmp_path: Path, base: str | None, status: int, code: str
) -> None:
    async def test() -> None:
        folder = tmp_path / "router" if base is None else fit(tmp_path / "router", base=base)
        async with arena(stock) as a:
            reply = await a.admin("router", path=str(folder))
            assert reply.status_code == status
            assert reply.json()["error"]["code"] == code
            assert a.service.selector is None

    asyncio.run(test())


def test_a_router_that_cannot_be_noted_is_not_set(arena: Any, stock: Any, tmp_path: Path) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        folder = fit(tmp_path / "router", base=stock.identity.family_digest)
        run_dir = tmp_path / "run"
        run_dir.mkdir()
        (run_dir / "router-path").mkdir()  # stands for a disk that is full
        async with arena(stock, run_dir=run_dir) as a:
            reply = await a.admin("router", path=str(folder))
            assert reply.status_code == 500
            assert reply.json()["error"]["code"] == "store_error"
            assert a.service.selector is None
            assert not [*run_dir.glob("router-path.*")]

    asyncio.run(test())


def test_the_router_set_last_is_found_after_a_restart(tmp_path: Path) -> None:
    told = ServerState(admin_key="k", base_name="base", router=tmp_path / "configured")
    assert current_path(told) == tmp_path / "configured"
    here = told.model_copy(update={"run_dir": tmp_path})
    assert current_path(here) == tmp_path / "configured"
    (tmp_path / "router-path").write_text(str(tmp_path / "other"))
    assert current_path(here) == tmp_path / "other"
