"""The official client, sync and async, against the whole server with a fake engine."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from skillweave.adapters.base.identity import identify_base
from skillweave.adapters.card import Card
from skillweave.adapters.store.store import Store
from skillweave.server.config import ServeConfig
from skillweave.server.running import Running, serve_in_background

from ...one_module import make_adapter

pytestmark = pytest.mark.slow  # the client alone takes two seconds to import

USER: Any = [{"role": "user", "content": "one two"}]
MIX = "sql*0.5+csv@1*-0.25"
MODELS = ["base", "sql", "sql@1:adapter", MIX]


@pytest.fixture(scope="module")
def stocked(base_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server over two adapters."""
    home = tmp_path_factory.mktemp("stocked")
    identity = identify_base(base_dir, cache_dir=home / "hashes")
    store = Store(home / "store")
    for seed, name in enumerate(("sql", "csv"), start=1):
        card = Card(kind="skill", base=identity.for_card())
        store.put(make_adapter(home / name, seed=seed), card=card, name=name, base=identity)
    config = ServeConfig(base=str(base_dir), store=store.root, port=0, engine="fake")
    with serve_in_background(config) as running:
        yield running


@pytest.fixture(scope="module")
def client(stocked: Running) -> Iterator[OpenAI]:
    with OpenAI(base_url=stocked.url, api_key="none", max_retries=0) as client:
        yield client


@pytest.mark.parametrize("model", MODELS)
def test_chat(client: OpenAI, model: str) -> None:
    reply = client.chat.completions.create(model=model, messages=USER, n=2)
    assert reply.model == model
    first, second = reply.choices
    assert first.message.content == second.message.content
    assert str(first.message.content).endswith("one two")
    assert reply.usage is not None
    assert reply.usage.prompt_tokens == 2


@pytest.mark.parametrize("model", MODELS)
def test_chat_stream(client: OpenAI, model: str) -> None:
    whole = client.chat.completions.create(model=model, messages=USER).choices[0].message.content
    chunks = [*client.chat.completions.create(model=model, messages=USER, stream=True)]
    assert {chunk.model for chunk in chunks} == {model}
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole
    assert all(chunk.usage is None for chunk in chunks)
    asked = client.chat.completions.create(
        model=model, messages=USER, stream=True, stream_options={"include_usage": True}
    )
    *_, last = asked
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.total_tokens == 5


def test_logprobs_and_token_ids(client: OpenAI) -> None:
    reply = client.chat.completions.create(
        model=MIX, messages=USER, logprobs=True, extra_body={"return_token_ids": True}
    )
    choice: Any = reply.choices[0]
    assert len(choice.logprobs.content) == 3
    assert choice.token_ids == [0, 1, 2]
    done: Any = client.completions.create(model=MIX, prompt="one two", logprobs=1)
    assert done.model == MIX
    assert len(done.choices[0].logprobs.token_logprobs) == 3


def test_completions_stream(client: OpenAI) -> None:
    whole = client.completions.create(model="sql", prompt="one two").choices[0].text
    chunks = [*client.completions.create(model="sql", prompt="one two", stream=True)]
    assert "".join(chunk.choices[0].text for chunk in chunks) == whole
    assert {chunk.model for chunk in chunks} == {"sql"}


def test_tools(client: OpenAI) -> None:
    tools: Any = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
    reply = client.chat.completions.create(model="sql", messages=USER, tools=tools)
    (call,) = reply.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert call.function.name == "look"
    assert "one two" in json.loads(call.function.arguments)["said"]


def test_structured_output(client: OpenAI) -> None:
    schema = {"type": "object", "properties": {"row": {"type": "string"}}}
    form: Any = {"type": "json_schema", "json_schema": {"name": "r", "schema": schema}}
    reply = client.chat.completions.create(model=MIX, messages=USER, response_format=form)
    assert [*json.loads(str(reply.choices[0].message.content))] == ["row"]


@pytest.mark.parametrize("model", MODELS)
def test_responses(client: OpenAI, model: str) -> None:
    meta = {"usage": "mine"}
    reply = client.responses.create(model=model, input="one two", metadata=meta)
    assert reply.model == model
    assert reply.output_text.endswith("one two")
    assert reply.metadata == meta
    events: list[Any] = [*client.responses.create(model=model, input="one two", stream=True)]
    assert events[0].response.model == events[-1].response.model == model
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == reply.output_text


def test_models(client: OpenAI) -> None:
    listed = {model.id: model for model in client.models.list()}
    assert [*listed] == ["base", "csv", "sql"]
    assert client.models.retrieve("sql") == listed["sql"]
    assert client.models.retrieve("sql@1").id == "sql@1"
    extra: Any = listed["sql"]
    assert extra.parent == "base"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nope")


def test_errors_are_the_client_s_exceptions(client: OpenAI) -> None:
    def ask(model: str = "base", **more: Any) -> None:
        client.chat.completions.create(model=model, messages=more.pop("messages", USER), **more)

    with pytest.raises(openai.NotFoundError) as absent:
        ask("nope")
    assert absent.value.code == "model_not_found"
    assert absent.value.param == "model"
    with pytest.raises(openai.BadRequestError, match="priority"):
        ask(extra_body={"priority": 1})
    with pytest.raises(openai.BadRequestError, match="messages is empty"):
        ask(messages=[])
    with pytest.raises(openai.BadRequestError, match="maximum context length"):
        ask(messages=[{"role": "user", "content": "w " * 3000}])


def test_async(stocked: Running) -> None:
    async def test() -> None:
        async with AsyncOpenAI(base_url=stocked.url, api_key="none", max_retries=0) as client:

            async def chat(model: str) -> tuple[str, str]:
                stream = await client.chat.completions.create(
                    model=model, messages=USER, stream=True
                )
                words = [chunk.choices[0].delta.content or "" async for chunk in stream]
                whole = await client.chat.completions.create(model=model, messages=USER)
                return "".join(words), str(whole.choices[0].message.content)

            pairs = await asyncio.gather(*(chat(model) for model in MODELS * 4))
            assert all(streamed == whole for streamed, whole in pairs)
            assert len({whole for _, whole in pairs}) == len({"base", "sql", MIX})
            events = [
                event.type
                async for event in await client.responses.create(
                    model=MIX, input="one two", stream=True
                )
            ]
            assert events[-1] == "response.completed"
            ids = [model.id async for model in client.models.list()]
            assert ids == ["base", "csv", "sql"]
            with pytest.raises(openai.NotFoundError):
                await client.completions.create(model="nope", prompt="x")

    asyncio.run(test())
