"""Steps of a training run: published from bytes, asked for by number, gone with the window."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from skillweave.server.engines.fake import FakeEngine
from skillweave.server.gateway.scratch import noted, remove_scratch

from ...one_module import MODULE, make_adapter

Arena = Any
ADMIN = {"x-skillweave-admin-key": "admin-key-of-the-tests"}


def run(test: Any) -> None:
    asyncio.run(test())


def adapter(stock: Any, seed: int, *, rank: int = 2) -> Path:
    folder: Path = stock.work / f"step-{seed}-{rank}"
    return folder if folder.exists() else make_adapter(folder, seed=seed, rank=rank)


async def until(condition: Any) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("this did not come to pass")


def folders_of(a: Any) -> list[str]:
    """What lies in memory for this server."""
    root = noted(a.service.state.run_dir)
    return sorted(each.name for each in root.iterdir() if each.is_dir())


def at_once(a: Any) -> None:
    """What leaves does so without delay."""
    ephemeral = a.service.publishing.ephemeral
    ephemeral.unload_after_s = ephemeral.delete_after_s = 0.0


async def state_of(a: Any) -> dict[str, Any]:
    reply = await a.http.get("/admin/state", headers=ADMIN)
    return dict(reply.json())


def test_a_step_answers_everywhere_as_soon_as_it_is_published(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        engines = [FakeEngine(), FakeEngine()]
        async with arena(stock, engines=engines) as a:
            reply = await a.send("publish", adapter(stock, 1), run="rl", step=1)
            assert reply.status_code == 200, reply.text
            assert reply.json()["ref"] == "rl@1"
            assert [len(engine.loads) for engine in engines] == [1, 1]
            first = await a.chat("rl@1")
            assert first.headers["x-skillweave-adapter"] == "rl"
            assert first.headers["x-skillweave-version"] == "1"
            assert first.json()["model"] == "rl@1"
            assert [len(engine.loads) for engine in engines] == [1, 1]
            await a.send("publish", adapter(stock, 2), run="rl", step=2)
            words = {await a.words(name) for name in ("rl@latest", "rl", "rl@2")}
            assert len(words) == 1
            assert words != {await a.words("rl@1")}

    run(test)


def test_steps_are_in_no_listing_and_can_be_looked_up(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        async with arena(stock) as a:
            await a.send("publish", adapter(stock, 1), run="rl", step=7)
            listed = [model["id"] for model in (await a.http.get("/v1/models")).json()["data"]]
            assert listed == ["base"]
            one = (await a.http.get("/v1/models/rl@7")).json()
            assert one["skillweave"]["version"] == "7"
            assert stock.store.list() == []
            assert [each["run"] for each in (await state_of(a))["runs"]] == ["rl"]

    run(test)


def test_the_window_keeps_the_newest_and_the_rest_is_deleted(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        async with arena(stock) as a:
            at_once(a)
            for step in range(1, 5):
                reply = await a.send(
                    "publish", adapter(stock, step), run="rl", step=step, staleness=0
                )
            assert reply.json()["kept"] == [3, 4]
            await a.service.publishing.ephemeral.settle()
            assert len(folders_of(a)) == 2
            engine = a.engines[0]
            assert len(engine.adapters) == len(engine.held) == 2
            assert (await a.chat("rl@2")).status_code == 404
            assert (await a.chat("rl@3")).status_code == 200

    run(test)


def test_an_old_step_stays_until_its_last_request_has_ended(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        async with arena(stock, engines=[FakeEngine(token_delay_s=0.05)]) as a:
            at_once(a)
            await a.send("publish", adapter(stock, 1), run="rl", step=1, staleness=0)
            alone = await a.words("rl@1", "a b c d e f")
            slow = asyncio.create_task(a.chat("rl@1", "a b c d e f"))
            await until(lambda: any(r.in_use for r in a.service.residency.table))
            for step in (2, 3):
                await a.send("publish", adapter(stock, step), run="rl", step=step, staleness=0)
            assert len(a.engines[0].held) == 3
            assert (await a.chat("rl@1")).status_code == 404
            assert (await slow).json()["choices"][0]["message"]["content"] == alone
            await a.service.publishing.ephemeral.settle()
            assert len(a.engines[0].held) == len(folders_of(a)) == 2

    run(test)


def test_no_answer_is_lost_or_mixed_while_steps_are_published(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        engines = [FakeEngine(token_delay_s=0.002), FakeEngine(token_delay_s=0.001)]
        async with arena(stock, engines=engines) as a:
            at_once(a)
            await a.send("publish", adapter(stock, 1), run="rl", step=1, staleness=0)
            said: dict[str, set[str]] = {}
            done = asyncio.Event()

            async def ask() -> None:
                while not done.is_set():
                    reply = await a.chat("rl@latest", "a b c d e f")
                    assert reply.status_code == 200, reply.text
                    words = reply.json()["choices"][0]["message"]["content"]
                    said.setdefault(reply.headers["x-skillweave-version"], set()).add(words)

            asking = [asyncio.create_task(ask()) for _ in range(4)]
            for step in range(2, 12):
                await a.send("publish", adapter(stock, step), run="rl", step=step, staleness=0)
            done.set()
            await asyncio.gather(*asking)
            await a.service.publishing.ephemeral.settle()
            assert len(said) > 2
            assert {len(words) for words in said.values()} == {1}
            assert len({*map(str, said.values())}) == len(said)
            assert [len(engine.held) for engine in engines] == [2, 2]

    run(test)


def test_the_same_step_twice_is_one_and_other_bytes_are_a_conflict(
    arena: Arena, stock: Any
) -> None:
    async def test() -> None:
        async with arena(stock) as a:
            for _ in range(2):
                reply = await a.send("publish", adapter(stock, 1), run="rl", step=1)
                assert reply.status_code == 200
            assert len(a.engines[0].loads) == len(folders_of(a)) == 1
            reply = await a.send("publish", adapter(stock, 2), run="rl", step=1)
            assert reply.status_code == 409
            assert "other weights" in reply.json()["error"]["message"]
            assert len(a.engines[0].adapters) == len(folders_of(a)) == 1

    run(test)


def test_a_step_behind_the_window_is_a_conflict(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        async with arena(stock) as a:
            for step in (5, 6):
                await a.send("publish", adapter(stock, step), run="rl", step=step, staleness=0)
            reply = await a.send("publish", adapter(stock, 4), run="rl", step=4, staleness=0)
            assert reply.status_code == 409
            assert "[5, 6]" in reply.json()["error"]["message"]
            assert len(folders_of(a)) == 2

    run(test)


def test_a_run_that_ended_may_begin_again(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        async with arena(stock) as a:
            at_once(a)
            await a.send("publish", adapter(stock, 1), run="rl", step=9)
            before = await a.words("rl@9")
            assert (await a.admin("end", run="rl")).json()["ended"] == 1
            assert (await a.chat("rl@9")).status_code == 404
            assert (await a.admin("end", run="rl")).status_code == 404
            await a.send("publish", adapter(stock, 1), run="rl", step=9)
            await a.service.publishing.ephemeral.settle()
            assert (await a.words("rl@9")) != before  # the stand-in's words follow from the name
            assert len(a.engines[0].held) == len(folders_of(a)) == 1

    run(test)


@pytest.mark.parametrize("where", ["store", "text"])
def test_a_run_may_not_take_the_name_of_a_skill(
    arena: Arena, stock: Any, new_skill: Any, where: str
) -> None:
    async def test() -> None:
        skills = None
        if where == "store":
            stock.put("sql", seed=1)
        else:
            skills = stock.work / "skills"
            new_skill(skills / "sql", name="sql")
        async with arena(stock, skills=skills) as a:
            reply = await a.send("publish", adapter(stock, 2), run="sql", step=1)
            assert reply.status_code == 409
            assert "may not take it" in reply.json()["error"]["message"]
            assert folders_of(a) == []

    run(test)


def test_a_skill_that_takes_the_name_of_a_run_shows(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        async with arena(stock) as a:
            await a.send("publish", adapter(stock, 1), run="sql", step=1)
            step = await a.words("sql@1")
            stock.put("sql", seed=5)  # another process trained it meanwhile
            assert (await state_of(a))["runs"][0]["also_stored"] is True
            assert await a.words("sql@1") == step  # training goes on with its own policy
            await a.admin("end", run="sql")
            assert await a.words("sql@1") != step

    run(test)


def test_a_version_of_the_store_can_be_a_step(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        digest = stock.put("sql", seed=1)
        async with arena(stock) as a:
            at_once(a)
            reply = await a.admin("publish", run="rl", step=1, digest=digest)
            assert reply.json()["ref"] == "rl@1", reply.text
            assert (await a.chat("rl@1")).status_code == 200
            await a.admin("end", run="rl")
            await a.service.publishing.ephemeral.settle()
            assert stock.store.resolve("sql").path.is_dir()
            assert folders_of(a) == []

    run(test)


def test_nothing_stays_where_an_engine_refuses(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        engines = [FakeEngine(), FakeEngine(refuse="run--rl")]
        async with arena(stock, engines=engines) as a:
            reply = await a.send("publish", adapter(stock, 1), run="rl", step=1)
            assert reply.status_code == 422
            assert engines[0].held == set()
            assert folders_of(a) == []
            assert (await a.chat("rl@1")).status_code == 404

    run(test)


def spoil(folder: Path, how: str) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    weights = folder / "adapter_model.safetensors"
    if how == "no numbers":
        tensors = load_file(weights)
        next(iter(tensors.values()))[0, 0] = torch.nan
        save_file(tensors, weights)
    elif how == "another module":
        weights.write_bytes(weights.read_bytes().replace(b"layers.0.", b"layers.9."))
    else:
        weights.write_bytes(b"no header")


SPOILED = [("no numbers", "not_finite"), ("another module", "unknown_module"), ("", "bad_header")]


def test_bytes_pass_the_gate_before_an_engine_sees_them(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        async with arena(stock) as a:
            for seed, (how, code) in enumerate(SPOILED):
                folder = adapter(stock, seed)
                spoil(folder, how)
                for verb, name in (
                    ("publish", {"run": "rl", "step": 1}),
                    ("upload", {"name": "x"}),
                ):
                    reply = await a.send(verb, folder, **name)
                    assert reply.status_code == 422, reply.text
                    assert code in reply.json()["error"]["message"]
                    assert str(a.service.state.run_dir) not in reply.text
            assert MODULE.startswith("model.layers.0.")
            assert a.engines[0].loads == []
            assert folders_of(a) == []

    run(test)


def test_a_rank_above_the_cap_is_a_conflict_that_names_the_flag(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        async with arena(stock, max_lora_rank=2) as a:
            reply = await a.send("publish", adapter(stock, 1, rank=4), run="rl", step=1)
            assert reply.status_code == 409
            assert "--max-lora-rank 4" in reply.json()["error"]["message"]
            assert folders_of(a) == []

    run(test)


def test_forms_that_make_no_step(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        forms: list[dict[str, object]] = [
            {},
            {"run": "rl"},
            {"run": "rl", "step": 0},
            {"run": "rl", "step": "x"},
            {"run": "RL", "step": 1},
            {"run": "../x", "step": 1},
            {"run": "latest", "step": 1},
            {"run": "rl", "step": 1, "typo": 1},
            {"run": "rl", "step": 1, "staleness": 65},
            {"run": "rl", "step": 10**9},
        ]
        async with arena(stock) as a:
            for fields in forms:
                reply = await a.send("publish", adapter(stock, 1), **fields)
                assert reply.status_code == 400, (fields, reply.text)
                assert set(reply.json()["error"]) == {"message", "type", "param", "code"}
                assert folders_of(a) == []

    run(test)


def test_a_gateway_that_is_started_again_finds_its_steps(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        engine, run_dir = FakeEngine(), stock.work / "run"
        run_dir.mkdir()
        async with arena(stock, engines=[engine], run_dir=run_dir) as a:
            for step in (1, 2):
                await a.send("publish", adapter(stock, step), run="rl", step=step, staleness=0)
            before = await a.words("rl@2")
            (noted(run_dir) / ".part-0123").mkdir()  # killed in the middle of another
        async with arena(stock, engines=[engine], run_dir=run_dir) as a:
            assert await a.words("rl@latest") == before
            assert len(engine.loads) == 2
            assert len(folders_of(a)) == 2
            reply = await a.send("publish", adapter(stock, 3), run="rl", step=3, staleness=0)
            assert reply.json()["kept"] == [2, 3]
            engine.adapters.clear()  # and now gateway and engine
            engine.held.clear()
        async with arena(stock, engines=[engine], run_dir=run_dir) as a:
            assert sorted(engine.adapters) == sorted(engine.held)
            assert await a.words("rl@2") == before
        remove_scratch(run_dir)

    run(test)


def test_promote_makes_a_step_last(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        async with arena(stock) as a:
            await a.send("publish", adapter(stock, 1), run="rl", step=3)
            reply = await a.admin("promote", ref="rl@3", name="team/policy")
            assert reply.status_code == 200, reply.text
            assert reply.json()["ref"] == "team/policy@1"
            version = stock.store.resolve("team/policy")
            assert version.card.kind == "policy"
            assert version.card.description == "step 3 of run rl"
            assert (await a.chat("team/policy")).headers["x-skillweave-version"] == "1"
            assert (await a.admin("promote", ref="rl@4", name="x")).status_code == 404
            assert (await a.admin("promote", ref="rl@3", name="rl")).status_code == 409
            await a.send("publish", adapter(stock, 2), run="rl", step=4)
            await a.admin("promote", ref="rl@latest", name="team/policy", alias=None)
            assert stock.store.resolve("team/policy").number == 1
            assert stock.store.resolve("team/policy@latest").number == 2

    run(test)


def test_a_card_that_comes_along_is_kept(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        from skillweave.adapters.card import Card, card_bytes

        folder = adapter(stock, 1)
        card = Card(kind="policy", base=stock.identity.for_card(), seed=17, licence="mit")
        (folder / "card.json").write_bytes(card_bytes(card))
        names = ["adapter_config.json", "adapter_model.safetensors", "card.json"]
        async with arena(stock) as a:
            await a.send("publish", folder, names=names, run="rl", step=1)
            await a.admin("promote", ref="rl@1", name="policy")
            assert stock.store.resolve("policy").card == card

    run(test)


def test_a_step_in_a_sum_is_refused_in_words(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        async with arena(stock) as a:
            await a.send("publish", adapter(stock, 2), run="rl", step=1)
            reply = await a.chat("sql+rl@1*0.5")
            assert reply.status_code == 400
            assert "promote it first" in reply.json()["error"]["message"]
            assert json.loads(reply.text)["error"]["param"] == "model"

    run(test)
