"""Who answers for an alias that is split: hand-worked shares, sessions that stay, what ends it."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from skillweave.adapters.errors import InvalidName, UsageError
from skillweave.server.engines.fake import FakeEngine
from skillweave.server.gateway.publishing.splits import Splits, make_split, point_of

Arena = Any


def run(test: Any) -> None:
    asyncio.run(test())


def stocked(stock: Any, count: int) -> None:
    for seed in range(1, count + 1):
        stock.put("sql", seed=seed)


async def version(a: Any, session: str | None = None, model: str = "sql") -> str:
    headers = {} if session is None else {"x-skillweave-session": session}
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    reply = await a.http.post("/v1/chat/completions", json=body, headers=headers)
    assert reply.status_code == 200, reply.text
    return str(reply.headers["x-skillweave-version"])


def test_a_point_falls_into_the_stretch_of_a_version() -> None:
    split = make_split(3, {4: 10, 3: 90})
    assert [split.pick(point) for point in (0.0, 0.5, 0.89, 0.9, 0.999)] == [3, 3, 3, 4, 4]
    assert make_split(3, {3: 0, 4: 1}).pick(0.0) == 4


def test_a_larger_part_takes_no_session_away_from_the_version_that_gets_it() -> None:
    few, many = make_split(3, {3: 90, 4: 10}), make_split(3, {3: 50, 4: 50})
    points = [point_of(("sql", "prod"), str(number)) for number in range(500)]
    assert all(many.pick(point) == 4 for point in points if few.pick(point) == 4)
    shares = Counter(few.pick(point) for point in points)
    assert 20 <= shares[4] <= 80  # 50 on average, by a fixed hash


@pytest.mark.parametrize(
    ("weights", "error"),
    [
        ({}, UsageError),
        ({3: 0, 4: 0}, UsageError),
        ({3: -1, 4: 2}, UsageError),
        ({0: 1}, InvalidName),
        (dict.fromkeys(range(1, 18), 1), UsageError),
        ({1: 10**7}, UsageError),
    ],
)
def test_parts_that_make_no_split(weights: dict[int, int], error: type[Exception]) -> None:
    with pytest.raises(error):
        make_split(1, weights)


def test_a_split_counts_only_where_the_alias_means_what_it_meant(tmp_path: Path) -> None:
    splits = Splits(tmp_path)
    splits.set(("sql", "prod"), make_split(3, {4: 1}))
    assert splits.pick("sql", "prod", 3, session="a") == 4
    assert splits.pick("sql", "prod", 2, session="a") == 2  # somebody moved the alias
    assert splits.pick("sql", None, 3, session="a") == 3
    again = Splits(tmp_path)
    assert again.of("sql") == {"prod": {"4": 1}}
    again.set(("sql", "prod"), None)
    assert Splits(tmp_path).table == {}


def test_a_file_that_says_nothing_means_no_split(tmp_path: Path) -> None:
    (tmp_path / "splits.json").write_text("[[")
    assert Splits(tmp_path).table == {}


def test_sessions_stay_and_both_versions_answer(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stocked(stock, 2)
        engines = [FakeEngine(), FakeEngine()]
        async with arena(stock, engines=engines) as a:
            weights = {"1": 50, "2": 50}
            reply = await a.admin("split", name="sql", alias="default", weights=weights)
            assert reply.status_code == 200, reply.text
            assert reply.json()["version"] == 1
            assert [len(engine.held) for engine in engines] == [2, 2]  # before anybody asked
            first = {name: await version(a, name) for name in "abcdefgh"}
            assert set(first.values()) == {"1", "2"}
            assert {name: await version(a, name) for name in first} == first
            assert {await version(a) for _ in range(40)} == {"1", "2"}
            assert await version(a, "a", "sql@1") == "1"  # a number is a number
            about = (await a.http.get("/v1/models/sql")).json()["skillweave"]
            assert about["splits"] == {"default": {"1": 50, "2": 50}}
            key = {"x-skillweave-admin-key": a.service.state.admin_key}
            state = (await a.http.get("/admin/state", headers=key)).json()
            assert state["splits"] == [
                {"name": "sql", "alias": "default", "version": 1, "weights": weights}
            ]

    run(test)


@pytest.mark.parametrize("how", ["alias", "rollback", "publish", "tag"])
def test_a_move_of_the_alias_ends_the_split(arena: Arena, stock: Any, how: str) -> None:
    async def test() -> None:
        stocked(stock, 3)
        async with arena(stock) as a:
            await a.admin("alias", name="sql", alias="default", version=2)
            weights = {"1": 0, "3": 1}
            await a.admin("split", name="sql", alias="default", weights=weights)
            assert await version(a) == "3"
            if how == "alias":
                await a.admin("alias", name="sql", alias="default", version=1)
            elif how == "rollback":
                await a.admin("rollback", name="sql")
            elif how == "publish":
                await a.admin("publish", ref="sql@1", alias="default")
            else:
                stock.store.tag("sql", "default", 1)  # another process
                a.service.catalog.forget()  # as half a second later
            assert {await version(a) for _ in range(5)} == {"1"}

    run(test)


def test_what_a_split_needs_stays_and_what_it_does_not_leaves(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stocked(stock, 4)
        async with arena(stock) as a:
            held = a.engines[0].held

            def numbers() -> set[str]:
                return {name.split("--")[1] for name in held}

            split = {"name": "sql", "alias": "default"}
            await a.admin("split", **split, weights={"1": 1, "2": 1, "3": 1})
            assert numbers() == {"v1", "v2", "v3"}
            await a.admin("split", **split, weights={"1": 1, "4": 1})
            await a.service.residency.settle()
            assert numbers() == {"v1", "v3", "v4"}  # one stays behind, for the way back
            await a.admin("alias", name="sql", alias="default", version=4)
            await a.service.residency.settle()
            assert numbers() == {"v1", "v4"}

    run(test)


def test_nothing_changes_where_an_engine_refuses_one_version(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stocked(stock, 3)
        async with arena(stock, engines=[FakeEngine(), FakeEngine(refuse="sql--v3")]) as a:
            weights = {"2": 1, "3": 1}
            reply = await a.admin("split", name="sql", alias="default", weights=weights)
            assert reply.status_code == 422
            await a.service.residency.settle()
            assert [engine.held for engine in a.engines] == [set(), set()]
            assert await version(a) == "1"

    run(test)


def test_an_alias_that_is_not_there_points_at_the_largest_part(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stocked(stock, 2)
        async with arena(stock) as a:
            await a.admin("split", name="sql", alias="prod", weights={"1": 1, "2": 9})
            assert stock.store.aliases("sql")["prod"] == 2

    run(test)


BAD: list[tuple[dict[str, object], int]] = [
    ({"name": "sql", "alias": "prod", "weights": {"1": 1, "9": 1}}, 404),
    ({"name": "sql", "alias": "prod", "weights": {"x": 1}}, 400),
    ({"name": "sql", "alias": "prod", "weights": {}}, 400),
    ({"name": "sql", "alias": "latest", "weights": {"1": 1}}, 400),
    ({"name": "nope", "alias": "prod", "weights": {"1": 1}}, 404),
    ({"name": "sql", "alias": "prod", "weights": {"1": 1.5}}, 400),
]


def test_bad_splits(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stocked(stock, 1)
        async with arena(stock) as a:
            for body, status in BAD:
                reply = await a.admin("split", **body)
                assert reply.status_code == status, (body, reply.text)

    run(test)


def test_a_gateway_that_is_started_again_keeps_split_and_versions(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stocked(stock, 3)
        engine, run_dir = FakeEngine(), stock.work / "run"
        run_dir.mkdir()
        async with arena(stock, engines=[engine], run_dir=run_dir) as a:
            await a.admin("split", name="sql", alias="default", weights={"1": 1, "2": 1})
            before = {name: await version(a, name) for name in "abcdef"}
        engine.adapters.clear()  # the engine, too
        engine.held.clear()
        async with arena(stock, engines=[engine], run_dir=run_dir) as a:
            assert len(engine.held) == 2  # before anybody asked
            assert {name: await version(a, name) for name in before} == before
            await a.admin("alias", name="sql", alias="default", version=3)
            await a.service.residency.settle()
            assert len(engine.held) == 2  # the new one, and one behind it

    run(test)
