"""Names of runs: whose they are, and when they are free again."""

from typing import Any

import pytest

from .steps import Arena, adapter, at_once, folders_of, run, state_of


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
