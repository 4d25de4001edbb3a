"""The served policy through the official client, against a server that misbehaves on purpose."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest
from skillweave.adapters.errors import TeacherError, UsageError
from skillweave.distill.evaluation import types as evaluation
from skillweave.distill.policy import Sampling, ServedPolicy, bounded_map

from .scripted_teacher import (
    Answer,
    Body,
    HangUp,
    Raw,
    Reply,
    ScriptedTeacher,
    broken,
    out_of_requests,
)

HI = [{"role": "user", "content": "hi"}]


def ask(teacher: ScriptedTeacher, *, stream: bool = False, **sampling: object) -> evaluation.Answer:
    async def go() -> evaluation.Answer:
        async with ServedPolicy(teacher.url, stream=stream) as policy:
            how = Sampling(**sampling)  # type: ignore[arg-type]
            return await policy.complete(HI, model="m@1", sampling=how)

    return asyncio.run(go())


def in_turn(*replies: Reply) -> Callable[[Body], Reply]:
    """One reply after the other; the last one for ever."""
    left: Iterator[Reply] = iter(replies)
    lock = threading.Lock()

    def script(body: Body) -> Reply:
        with lock:
            return next(left, replies[-1])

    return script


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_comes_with_its_price_and_headers(stream: bool) -> None:
    with ScriptedTeacher(lambda body: Answer("one two three", {"X-Route": "a"})) as teacher:
        done = ask(teacher, stream=stream)
    assert done.text.split() == ["one", "two", "three"]
    assert done.completion_tokens == 3
    assert done.prompt_tokens > 0
    assert done.headers["x-route"] == "a"
    assert done.wall_s > 0
    if stream:
        assert done.ttft_s is not None
        assert 0 < done.ttft_s <= done.wall_s
    else:
        assert done.ttft_s is None


def test_the_request_says_model_messages_and_sampling() -> None:
    with ScriptedTeacher(lambda body: Answer("a")) as teacher:
        ask(teacher, temperature=0.5, max_tokens=7, seed=3)
        ask(teacher, stream=True)
    one, two = teacher.requests
    assert (one["model"], one["messages"]) == ("m@1", HI)
    assert (one["temperature"], one["max_tokens"], one["seed"]) == (0.5, 7, 3)
    assert (two["stream"], two["stream_options"]) == (True, {"include_usage": True})
    assert two["temperature"] == 0.0


def test_what_is_usual_is_not_said_and_the_rest_is() -> None:
    with ScriptedTeacher(lambda body: Answer("a")) as teacher:
        ask(teacher)
        ask(teacher, top_p=0.9, top_k=4, stop=("end",))
        with pytest.raises(UsageError, match="n is 2: expected 1"):
            ask(teacher, n=2)
    usual, more = teacher.requests
    assert not {"top_p", "top_k", "stop"} & set(usual)
    assert (more["top_p"], more["top_k"], more["stop"]) == (0.9, 4, ["end"])


@pytest.mark.parametrize("fault", [out_of_requests(), broken(), HangUp()])
def test_a_fault_that_passes_is_tried_again(fault: Reply) -> None:
    with ScriptedTeacher(in_turn(fault, Answer("at last"))) as teacher:
        assert ask(teacher).text == "at last"
    assert len(teacher.requests) == 2


@pytest.mark.parametrize(
    ("fault", "cause"),
    [(out_of_requests(), "429.*slow down"), (broken("no weights"), "500.*no weights")],
)
def test_a_fault_that_stays_is_a_teacher_error_with_its_cause(fault: Reply, cause: str) -> None:
    with ScriptedTeacher(in_turn(fault)) as teacher:
        with pytest.raises(TeacherError, match=rf"did not answer for model 'm@1': .*{cause}"):
            ask(teacher)
        assert len(teacher.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_refusal_is_not_tried_again(status: int) -> None:
    with ScriptedTeacher(in_turn(Raw(status, '{"error": {"message": "not yours"}}'))) as teacher:
        with pytest.raises(TeacherError, match="not yours"):
            ask(teacher)
        assert len(teacher.requests) == 1


def test_an_answer_without_text_is_empty() -> None:
    with ScriptedTeacher(in_turn(Raw(body='{"choices": []}'))) as teacher:
        done = ask(teacher)
    assert (done.text, done.prompt_tokens, done.completion_tokens) == ("", 0, 0)


@pytest.mark.slow  # the client waits before it tries again
def test_a_server_that_is_gone_is_a_teacher_error() -> None:
    with ScriptedTeacher(in_turn(HangUp())) as teacher, pytest.raises(TeacherError, match="error"):
        ask(teacher)
    with pytest.raises(TeacherError, match=teacher.url):
        ask(teacher)


def test_a_stream_that_reports_an_error_is_a_teacher_error() -> None:
    died = Raw(
        body='data: {"error": {"message": "the engine died", "code": 500}}\n\n',
        headers={"content-type": "text/event-stream"},
    )
    with ScriptedTeacher(in_turn(died)) as teacher, pytest.raises(TeacherError, match="died"):
        ask(teacher, stream=True)


def test_a_map_keeps_order_and_bound() -> None:
    at_once = most = 0

    async def work(item: int) -> int:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.001 * (5 - item % 5))
        at_once -= 1
        return item * item

    found = asyncio.run(bounded_map(work, range(20), concurrency=3))
    assert found == [item * item for item in range(20)]
    assert most == 3
    assert asyncio.run(bounded_map(work, [], concurrency=3)) == []


def test_a_map_ends_in_the_error_that_the_work_raised() -> None:
    async def work(item: int) -> int:
        if item % 2:
            raise TeacherError(f"nobody answers {item}")
        return item

    with pytest.raises(TeacherError, match="nobody answers 1"):
        asyncio.run(bounded_map(work, range(6), concurrency=2))


def test_a_bug_in_the_work_keeps_its_group() -> None:
    async def work(item: int) -> int:
        raise KeyError(item)

    with pytest.raises(ExceptionGroup):
        asyncio.run(bounded_map(work, range(2), concurrency=2))


def test_no_proxy_of_the_environment_stands_before_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with ScriptedTeacher(lambda body: Answer("direct")) as teacher:
        assert ask(teacher).text == "direct"
