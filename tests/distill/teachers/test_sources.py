"""Models as sources, over the wire and as policies."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from skillweave.adapters.errors import TeacherError, UsageError
from skillweave.distill.demonstrations import Teacher as Demonstrator
from skillweave.distill.evaluation.types import Answer as PolicyAnswer
from skillweave.distill.policy import Sampling
from skillweave.distill.teachers import AskedTeacher, EndpointSource, Judgement, PolicySource
from skillweave.distill.worlds.types import Message

from ..scripted_teacher import Answer, Body, Raw, Reply, ScriptedTeacher
from .scripted import ASKED, YES


def over_the_wire(script: Callable[[Body], Reply], times: int = 1) -> tuple[list[Body], bool]:
    """Ask `times` times; the requests that the server saw, and whether output is structured."""

    async def run() -> tuple[list[Body], bool]:
        with ScriptedTeacher(script) as server:
            async with EndpointSource(server.url, model="m", label="t") as source:
                teacher = AskedTeacher(source)
                for seed in range(times):
                    await teacher.ask("judge", ASKED, schema=Judgement, seed=seed)
                return server.requests, source.structured

    return asyncio.run(run())


def test_an_endpoint_is_sent_the_schema() -> None:
    requests, structured = over_the_wire(lambda body: Answer(YES))
    sent = requests[0]["response_format"]
    assert sent == {
        "type": "json_schema",
        "json_schema": {"name": "judge", "schema": Judgement.model_json_schema()},
    }
    assert structured
    assert requests[0]["model"] == "m"


def test_an_endpoint_that_does_not_know_schemas_is_asked_in_words() -> None:
    def script(body: Body) -> Reply:
        if "response_format" in body:
            told = {"error": {"message": "response_format is not supported"}}
            return Raw(400, json.dumps(told))
        return Answer(f"```json\n{YES}\n```")

    requests, structured = over_the_wire(script, times=2)
    assert not structured
    assert ["response_format" in body for body in requests] == [True, False, False]


def test_a_retry_shows_the_complaint_and_another_seed() -> None:
    said = iter(["no", YES])
    requests, _ = over_the_wire(lambda body: Answer(next(said)))
    first, second = requests
    assert first["seed"] != second["seed"]
    assert "The answer before was refused" in json.dumps(second["messages"])


def test_an_endpoint_that_refuses_is_a_teacher_that_did_not_answer() -> None:
    with pytest.raises(TeacherError, match="did not answer as 'judge' for 'm'"):
        over_the_wire(lambda body: Raw(401, json.dumps({"error": {"message": "who are you"}})))


def test_an_answer_without_choices_is_malformed_not_a_crash() -> None:
    empty = {"id": "1", "object": "x", "created": 1, "model": "m", "choices": []}
    with pytest.raises(TeacherError, match="in 3 attempts"):
        over_the_wire(lambda body: Raw(200, json.dumps(empty)))


class Echo:
    """A policy that judges and remembers what it was asked with."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Sampling, Sequence[Message]]] = []

    async def complete(
        self, messages: Sequence[Message], *, model: str, sampling: Sampling
    ) -> PolicyAnswer:
        self.seen.append((model, sampling, messages))
        return PolicyAnswer(YES, prompt_tokens=7, completion_tokens=3)


def test_a_demonstrating_teacher_can_be_asked_in_roles() -> None:
    echo = Echo()
    source = PolicySource(Demonstrator(echo, model="base"), sampling=Sampling(temperature=0.5))
    teacher = AskedTeacher(source)
    assert asyncio.run(teacher.ask("judge", ASKED, schema=Judgement, seed=4)).passed
    model, sampling, messages = echo.seen[0]
    assert (model, sampling.temperature) == ("base", 0.5)
    assert messages[1]["content"].startswith("## answer")
    assert teacher.counts.prompt_tokens == 7
    assert teacher.label == "policy:base?T=0.5,max=128"


def test_labels_hold_no_secrets_and_no_port_where_one_is_given() -> None:
    source = EndpointSource("http://127.0.0.1:1/v1", model="m", api_key="secret", label="t")
    assert source.label == "endpoint:t?T=0,max=1024"


HOT = Sampling(temperature=0.7, max_tokens=9, top_p=0.5, top_k=3, stop=("##",))


def test_every_setting_of_the_sampling_reaches_the_wire_and_the_label() -> None:
    async def run() -> tuple[Body, str]:
        with ScriptedTeacher(lambda body: Answer(YES)) as server:
            async with EndpointSource(server.url, model="m", label="t", sampling=HOT) as source:
                await AskedTeacher(source).ask("judge", ASKED, schema=Judgement)
                return server.requests[0], source.label

    sent, label = asyncio.run(run())
    told = {"temperature": 0.7, "max_tokens": 9, "top_p": 0.5, "top_k": 3, "stop": ["##"]}
    assert {name: sent[name] for name in told} == told
    assert label == "endpoint:t?T=0.7,max=9,top_p=0.5,top_k=3,stop=['##']"


def test_a_policy_draws_as_it_is_told_and_is_known_by_its_base() -> None:
    seen: list[Sampling] = []

    class Policy:
        async def complete(
            self, messages: Sequence[Message], *, model: str, sampling: Sampling
        ) -> PolicyAnswer:
            seen.append(sampling)
            return PolicyAnswer(YES, 1, 1)

    source = PolicySource(Demonstrator(Policy()), sampling=HOT, base_digest="ab" * 32)
    asyncio.run(AskedTeacher(source).ask("judge", ASKED, schema=Judgement))
    assert seen == [replace(HOT, seed=0)]
    assert source.label.startswith("policy:base@abababababab?T=0.7,max=9,top_p=0.5")
    with pytest.raises(UsageError, match=r"n is 2: expected 1"):
        PolicySource(Demonstrator(Policy()), sampling=replace(HOT, n=2))
