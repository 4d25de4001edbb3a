"""Publish protocol: loaded everywhere before an alias moves, and a request keeps its version."""

import asyncio
from typing import Any

import pytest
from skillweave.server.engines.fake import FakeEngine
from skillweave.server.gateway.residency.servable import of_version

Arena = Any


def run(test: Any) -> None:
    asyncio.run(test())


def loaded(a: Any) -> list[str]:
    """The refs that the gateway believes to be loaded."""
    return sorted(r.what.ref for r in a.service.residency.table if r.loaded)


def test_promote_moves_the_alias_after_loading_everywhere(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        stock.put("sql", seed=2)
        async with arena(stock, engines=[FakeEngine(), FakeEngine()]) as a:
            reply = await a.admin("publish", ref="sql@2", alias="default")
            assert reply.status_code == 200, reply.text
            assert reply.json()["ref"] == "sql@2"
            assert [len(engine.adapters) for engine in a.engines] == [1, 1]
            assert stock.store.resolve("sql").number == 2
            assert (await a.chat("sql")).headers["x-skillweave-version"] == "2"

    run(test)


def test_an_alias_stays_when_one_engine_refuses(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        stock.put("sql", seed=2)
        async with arena(stock, engines=[FakeEngine(), FakeEngine(refuse="sql--v2")]) as a:
            reply = await a.admin("publish", ref="sql@2", alias="default")
            assert reply.status_code == 422
            assert "not this one" in reply.json()["error"]["message"]
            assert stock.store.resolve("sql").number == 1
            assert (await a.chat("sql")).headers["x-skillweave-version"] == "1"

    run(test)


def test_publish_by_digest_without_alias_only_loads(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        digest = stock.put("sql", seed=2)
        async with arena(stock) as a:
            assert (await a.admin("publish", digest=digest)).json()["ref"] == "sql@2"
            assert loaded(a) == ["sql@2"]
            assert stock.store.resolve("sql").number == 1
            assert (await a.admin("publish", digest="0" * 64)).status_code == 404

    run(test)


def test_a_running_request_keeps_its_version(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        stock.put("sql", seed=2)
        async with arena(stock, engines=[FakeEngine(token_delay_s=0.05)]) as a:
            before = await a.words("sql@1", "a b c d")
            slow = asyncio.create_task(a.chat("sql", "a b c d", stream=False))
            while not any(r.in_use for r in a.service.residency.table):
                await asyncio.sleep(0)
            await a.admin("alias", name="sql", alias="default", version=2)
            assert (await a.chat("sql")).headers["x-skillweave-version"] == "2"
            old = await slow
            assert old.headers["x-skillweave-version"] == "1"
            assert old.json()["choices"][0]["message"]["content"] == before

    run(test)


def test_a_version_is_unloaded_one_version_later_when_its_last_request_ends(
    arena: Arena, stock: Any
) -> None:
    async def test() -> None:
        for seed in (1, 2, 3):
            stock.put("sql", seed=seed)
        async with arena(stock) as a:
            first = stock.store.resolve("sql@1")
            async with a.service.residency.hold(of_version(first)) as name:
                await a.admin("alias", name="sql", alias="default", version=2)
                assert loaded(a) == ["sql@1", "sql@2"]
                await a.admin("alias", name="sql", alias="default", version=3)
                assert loaded(a) == ["sql@1", "sql@2", "sql@3"]  # still in use
                assert name in a.engines[0].adapters
            await a.service.residency.settle()
            assert loaded(a) == ["sql@2", "sql@3"]
            assert name not in a.engines[0].adapters
            assert (await a.chat("sql@1")).status_code == 200  # loaded again on demand

    run(test)


def test_a_version_under_another_alias_stays(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        for seed in (1, 2, 3):
            stock.put("sql", seed=seed)
        async with arena(stock) as a:
            await a.admin("alias", name="sql", alias="prod", version=1)
            await a.admin("alias", name="sql", alias="default", version=2)
            await a.admin("alias", name="sql", alias="default", version=3)
            await a.service.residency.settle()
            assert "sql@1" in loaded(a)

    run(test)


def test_rollback(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        stock.put("sql", seed=2)
        async with arena(stock) as a:
            assert (await a.admin("rollback", name="sql")).status_code == 409
            await a.admin("alias", name="sql", alias="default", version=2)
            loads = len(a.engines[0].loads)
            await a.chat("sql@1")
            reply = await a.admin("rollback", name="sql")
            assert reply.json()["ref"] == "sql@1"
            assert len(a.engines[0].loads) == loads + 1
            assert (await a.chat("sql")).headers["x-skillweave-version"] == "1"

    run(test)


def test_a_rollback_that_cannot_load_puts_the_alias_back(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        digest = stock.put("sql", seed=1)
        stock.put("sql", seed=2)
        stock.store.tag("sql", "default", 2)
        async with arena(stock) as a:
            (stock.root / "objects" / digest / "adapter_config.json").rename(stock.work / "away")
            assert (await a.admin("rollback", name="sql")).status_code == 422
            assert stock.store.resolve("sql").number == 2

    run(test)


def test_expected_guards_against_another_mover(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        stock.put("sql", seed=2)
        async with arena(stock) as a:
            body = {"name": "sql", "alias": "default", "version": 2}
            assert (await a.admin("alias", **body, expected=2)).status_code == 409
            assert (await a.admin("alias", **body, expected=1)).status_code == 200

    run(test)


def test_callers_at_the_same_time_share_one_load(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        async with arena(stock, engines=[FakeEngine(load_delay_s=0.05)]) as a:
            replies = await asyncio.gather(*(a.chat("sql") for _ in range(20)))
            assert {reply.status_code for reply in replies} == {200}
            assert len(a.engines[0].loads) == 1

    run(test)


def test_a_caller_who_gives_up_does_not_stop_the_load(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        async with arena(stock, engines=[FakeEngine(load_delay_s=0.1)]) as a:
            first = asyncio.create_task(a.chat("sql"))
            second = asyncio.create_task(a.chat("sql"))
            while not a.engines[0].loads:
                await asyncio.sleep(0.01)
            first.cancel()
            assert (await second).status_code == 200
            assert len(a.engines[0].loads) == 1

    run(test)


def test_a_failed_load_is_tried_again_and_leaves_nothing(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        digest = stock.put("sql", seed=1)
        config = stock.root / "objects" / digest / "adapter_config.json"
        async with arena(stock) as a:
            config.rename(stock.work / "away")
            assert (await a.chat("sql")).status_code == 422
            assert a.service.residency.table == ()
            (stock.work / "away").rename(config)
            assert (await a.chat("sql")).status_code == 200

    run(test)


def test_a_rank_above_the_cap_is_listed_and_not_served(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("big", seed=1, rank=4)
        async with arena(stock, max_lora_rank=2) as a:
            reply = await a.chat("big")
            assert reply.status_code == 409
            assert reply.json()["error"]["code"] == "rank_above_cap"
            assert "not servable here" in reply.json()["error"]["message"]
            assert "--max-lora-rank 4" in reply.json()["error"]["message"]
            assert a.engines[0].loads == []
            listed = (await a.http.get("/v1/models")).json()["data"]
            assert "big" in [model["id"] for model in listed]

    run(test)


def test_files_touched_since_they_were_stored_reach_no_engine(arena: Arena, stock: Any) -> None:
    """Headers are looked at again before every load, a restarted engine's included."""

    async def test() -> None:
        digest = stock.put("sql", seed=1)
        weights = stock.root / "objects" / digest / "adapter_model.safetensors"
        async with arena(stock) as a:
            assert (await a.chat("sql")).status_code == 200
            data = weights.read_bytes()
            weights.unlink()
            weights.write_bytes(data.replace(b"layers.0.", b"layers.9."))
            a.engines[0].adapters.clear()  # restarted
            state = a.service.state
            await a.service.follow(state.model_copy(update={"engines": ()}))
            await a.service.follow(state)
            assert a.engines[0].adapters == {}
            reply = await a.chat("sql")
            assert reply.status_code == 422
            assert "unknown_module" in reply.json()["error"]["message"]
            assert len(a.engines[0].loads) == 1

    run(test)


def test_an_engine_that_lost_its_adapters_gets_them_back(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        async with arena(stock) as a:
            before = await a.words("sql")
            a.engines[0].adapters.clear()  # restarted behind our back
            assert await a.words("sql") == before
            assert len(a.engines[0].loads) == 2

    run(test)


def test_a_restarted_engine_gets_the_declared_set_before_it_takes_requests(
    arena: Arena, stock: Any
) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        stock.put("csv", seed=2)
        async with arena(stock) as a:
            await a.chat("sql")
            await a.chat("csv")
            state = a.service.state
            await a.service.follow(state.model_copy(update={"engines": ()}))
            a.engines[0].adapters.clear()
            a.engines[0].loads.clear()
            await a.service.follow(state)
            assert len(a.engines[0].adapters) == 2
            await a.chat("sql")
            assert len(a.engines[0].loads) == 2

    run(test)


def test_a_new_gateway_takes_over_what_the_engine_holds(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        engine = FakeEngine()
        async with arena(stock, engines=[engine]) as a:
            before = await a.words("sql")
        async with arena(stock, engines=[engine]) as a:  # same engine state, new gateway
            assert await a.words("sql") == before
            assert len(engine.adapters) == 1

    run(test)


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 401), ({"x-skillweave-admin-key": "wrong"}, 401)]
)
def test_admin_needs_its_key(arena: Arena, headers: dict[str, str], status: int) -> None:
    async def test() -> None:
        async with arena() as a:
            assert (await a.http.get("/admin/state", headers=headers)).status_code == status
            reply = await a.http.post("/admin/publish", json={"ref": "x"}, headers=headers)
            assert reply.status_code == status
            assert reply.json()["error"]["code"] == "invalid_api_key"

    run(test)


def test_admin_state_shows_what_is_loaded_and_no_secret(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        async with arena(stock) as a:
            await a.chat("sql")
            key = {"x-skillweave-admin-key": a.service.state.admin_key}
            reply = await a.http.get("/admin/state", headers=key)
            assert [each["ref"] for each in reply.json()["loaded"]] == ["sql@1"]
            assert a.service.state.admin_key not in reply.text
            assert a.engines[0].secret not in reply.text

    run(test)


def test_unload_frees_what_no_alias_means(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        stock.put("sql", seed=2)
        async with arena(stock) as a:
            await a.admin("publish", ref="sql@2")
            assert len(a.engines[0].held) == 1
            assert (await a.admin("unload", ref="sql@2")).json() == {"ref": "sql@2"}
            await a.service.residency.settle()
            assert a.engines[0].held == set()
            assert (await a.admin("unload", ref="sql@1")).status_code == 409
            assert (await a.chat("sql@2")).status_code == 200

    run(test)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("unload", {"ref": "nope@1"}, 404),
        ("unload", {"ref": "sql:text"}, 400),
        ("publish", {}, 400),
        ("publish", {"ref": "a", "digest": "b"}, 400),
        ("publish", {"ref": "sql", "typo": 1}, 400),
        ("publish", {"ref": "sql@"}, 400),
        ("publish", {"ref": "nope"}, 404),
        ("alias", {"name": "sql", "alias": "latest", "version": 1}, 400),
        ("alias", {"name": "sql", "alias": "prod", "version": 9}, 404),
        ("alias", {"name": "sql", "alias": "prod", "version": 0}, 400),
        ("rollback", {"name": "nope"}, 404),
    ],
)
def test_bad_admin_requests(
    arena: Arena, stock: Any, path: str, body: dict[str, object], status: int
) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        async with arena(stock) as a:
            reply = await a.admin(path, **body)
            assert reply.status_code == status, reply.text
            assert set(reply.json()["error"]) == {"message", "type", "param", "code"}

    run(test)
