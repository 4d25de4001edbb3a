"""Steps that outlive the gateway, or their run."""

from typing import Any

from skillweave.server.engines.fake import FakeEngine
from skillweave.server.gateway.publishing.scratch import noted, remove_scratch

from .steps import Arena, adapter, folders_of, run


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
