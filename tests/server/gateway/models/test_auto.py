"""`auto`: the state reaches the selector, its route is served, tool turns stay where they were."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from skillweave.router.types import Choice, Form, Route, Selector, State

Arena = Any


@dataclass
class ByWord:
    """A selector with behaviour: the last message names the skill, `nothing` abstains."""

    form: Form = "adapter"
    seen: list[State] = field(default_factory=list)

    def route(self, state: State) -> Route:
        self.seen.append(state)
        word = state.messages[-1].content.split()[0]
        if word == "nothing":
            return Route(reason="below the threshold")
        return Route((Choice(word, self.form),), f"nearest\nis {word} é", {word: 1.0})


class Mixing:
    """A selector that answers with a mixture."""

    def route(self, state: State) -> Route:
        return Route((Choice("sql", weight=0.5), Choice("csv", weight=0.5)))


def run(test: Any) -> None:
    asyncio.run(test())


def user(text: str) -> dict[str, object]:
    return {"role": "user", "content": text}


CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function"}]}
RESULT = {"role": "tool", "content": "csv result", "tool_call_id": "1"}


async def ask(a: Any, messages: list[dict[str, object]], **headers: str) -> Any:
    body = {"model": "auto", "messages": messages}
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return await a.http.post("/v1/chat/completions", json=body, headers=named)


def test_the_protocol_is_met() -> None:
    assert isinstance(ByWord(), Selector)


def test_routed_to_an_adapter(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        async with arena(stock, selector=ByWord()) as a:
            reply = await ask(a, [user("sql please")])
            assert reply.json()["model"] == "auto"
            assert reply.headers["x-skillweave-adapter"] == "sql"
            assert reply.headers["x-skillweave-form"] == "adapter"
            assert reply.headers["x-skillweave-route"] == "auto: nearest?is sql ?"
            named = await a.words("sql", "sql please")
            assert reply.json()["choices"][0]["message"]["content"] == named

    run(test)


def test_abstention_serves_the_base(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        async with arena(stock, selector=ByWord()) as a:
            reply = await ask(a, [user("nothing fits")])
            assert reply.headers["x-skillweave-adapter"] == "base"
            assert reply.headers["x-skillweave-form"] == "none"
            assert reply.headers["x-skillweave-route"] == "auto: below the threshold"

    run(test)


def test_routed_to_a_text(arena: Arena, new_skill: Any, tmp_path: Path) -> None:
    async def test() -> None:
        new_skill(tmp_path / "csv", name="csv", body="Trim.")
        async with arena(skills=tmp_path, selector=ByWord("text")) as a:
            reply = await ask(a, [user("csv now")])
            assert reply.headers["x-skillweave-form"] == "text"
            assert "Trim." in reply.text

    run(test)


def test_a_choice_of_form_none_is_the_base(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        async with arena(stock, selector=ByWord("none")) as a:
            reply = await ask(a, [user("sql now")])
            assert reply.headers["x-skillweave-form"] == "none"

    run(test)


def test_the_selector_sees_the_whole_state(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        selector = ByWord()
        async with arena(stock, selector=selector) as a:
            system = {"role": "system", "content": [{"type": "text", "text": "be brief"}]}
            await ask(a, [system, user("sql")], x_skillweave_session="s1")
            prompt = {"model": "auto", "prompt": "sql prompt"}
            assert (await a.http.post("/v1/completions", json=prompt)).status_code == 200
        first, second = selector.seen
        assert [(m.role, m.content) for m in first.messages] == [
            ("system", "be brief"),
            ("user", "sql"),
        ]
        assert first.session == "s1"
        assert [(m.role, m.content) for m in second.messages] == [("user", "sql prompt")]

    run(test)


@pytest.mark.parametrize("headers", [{}, {"x_skillweave_session": "s"}])
def test_a_tool_turn_keeps_its_adapter(arena: Arena, stock: Any, headers: dict[str, str]) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        stock.put("csv", seed=2)
        selector = ByWord()
        async with arena(stock, selector=selector) as a:
            talk = [user("sql please")]
            await ask(a, talk, **headers)
            for _ in range(2):  # two rounds of tools
                talk = [*talk, CALL, RESULT, RESULT]
                reply = await ask(a, talk, **headers)
                assert reply.headers["x-skillweave-adapter"] == "sql"
                assert reply.headers["x-skillweave-route"] == "sticky"
            reply = await ask(a, [*talk, user("csv now")], **headers)
            assert reply.headers["x-skillweave-adapter"] == "csv"
        assert len(selector.seen) == 2

    run(test)


def test_a_tool_turn_keeps_its_version_over_a_publish(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        stock.put("sql", seed=2)
        async with arena(stock, selector=ByWord()) as a:
            await ask(a, [user("sql please")])
            await a.admin("alias", name="sql", alias="default", version=2)
            reply = await ask(a, [user("sql please"), CALL, RESULT])
            assert reply.headers["x-skillweave-version"] == "1"

    run(test)


def test_a_tool_turn_after_an_abstention_stays_with_the_base(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("csv", seed=1)
        async with arena(stock, selector=ByWord()) as a:
            await ask(a, [user("nothing")])
            reply = await ask(a, [user("nothing"), CALL, RESULT])
            assert reply.headers["x-skillweave-adapter"] == "base"
            assert reply.headers["x-skillweave-route"] == "sticky"

    run(test)


def test_an_unknown_tool_conversation_is_routed(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("csv", seed=1)
        async with arena(stock, selector=ByWord()) as a:
            reply = await ask(a, [user("never seen"), CALL, RESULT])
            assert reply.headers["x-skillweave-adapter"] == "csv"

    run(test)


def test_unknown_skills_are_said_so(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        async with arena(stock, selector=Mixing()) as a:
            assert (await ask(a, [user("x")])).status_code == 404
        async with arena(stock, selector=ByWord()) as a:
            assert (await ask(a, [user("unknown")])).status_code == 404

    run(test)


def test_auto_is_listed_where_it_works(arena: Arena) -> None:
    async def test() -> None:
        async with arena(selector=ByWord()) as a:
            listed = (await a.http.get("/v1/models")).json()["data"]
            assert [model["id"] for model in listed] == ["base", "auto"]
        async with arena() as a:
            listed = (await a.http.get("/v1/models")).json()["data"]
            assert [model["id"] for model in listed] == ["base"]

    run(test)
