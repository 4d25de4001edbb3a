"""Limits: each one refused just above its bound, and taken at it."""

import pytest
from skillweave.server.access_settings import Limits
from skillweave.server.gateway.access.judge import judge, with_bounds
from skillweave.server.gateway.access.keys import NO_LIMITS, KeyLimits
from skillweave.server.gateway.errors import RequestRefused

TIGHT = Limits(
    depth=5,
    prompt_chars=10,
    prompt_tokens=5,
    prompts=2,
    messages=2,
    model_chars=20,
    terms=2,
    n=2,
    max_tokens=8,
    logprobs=3,
    tools=1,
    stop=2,
    grammar_chars=40,
    biases=2,
)


def user(text: object) -> list[dict[str, object]]:
    return [{"role": "u", "content": text}]


def deep(levels: int) -> object:
    return [deep(levels - 1)] if levels else "x"


@pytest.mark.parametrize(
    ("param", "at_the_bound", "above"),
    [
        ("model", "a+b", "a+b+c"),
        ("model", "a" * 20, "a" * 21),
        ("messages", user("x" * 9), user("x" * 10)),
        ("messages", user([{"type": "text", "text": "x" * 5}]), user([{"text": "x" * 10}])),
        ("messages", user("x") * 2, user("x") * 3),
        ("prompt", "x" * 10, "x" * 11),
        ("prompt", ["x" * 5, "x" * 5], ["x" * 5, "x" * 6]),
        ("prompt", ["a", "b"], ["a", "b", "c"]),
        ("prompt", [1] * 5, [1] * 6),
        ("prompt", [[1, 2], [3, 4, 5]], [[1, 2, 3], [4, 5, 6]]),
        ("n", 2, 3),
        ("n", "2", "3"),
        ("n", 2.0, 2.5),
        ("n", 1, 10**400),
        ("best_of", 2, 3),
        ("max_tokens", 8, 9),
        ("max_completion_tokens", 8, 9),
        ("max_output_tokens", 8, "9"),
        ("min_tokens", 8, 9),
        ("logprobs", 3, 4),
        ("logprobs", True, "4"),
        ("top_logprobs", 3, 4),
        ("prompt_logprobs", 3, -1),
        ("stop", ["a", "b"], ["a", "b", "c"]),
        ("stop", "a long stop string", ["a", "b", "c"]),
        ("stop_token_ids", [1, 2], [1, 2, 3]),
        ("tools", [{}], [{}, {}]),
        ("tools", [{"a": "x"}], [{"a": "x" * 40}]),
        ("response_format", {"type": "text"}, {"type": "x" * 40}),
        ("guided_regex", "(a|b)*", "(a|b)*" * 10),
        ("logit_bias", {"1": 1, "2": 1}, {"1": 1, "2": 1, "3": 1}),
        ("input", "x" * 10, "x" * 11),
    ],
)
def test_a_limit(param: str, at_the_bound: object, above: object) -> None:
    judge({"model": "base", param: at_the_bound}, TIGHT, NO_LIMITS)
    with pytest.raises(RequestRefused, match=param) as refusal:
        judge({"model": "base", param: above}, TIGHT, NO_LIMITS)
    assert refusal.value.param == param
    assert refusal.value.status == 400


def test_nesting() -> None:
    judge({"model": "base", "extra": deep(4)}, TIGHT, NO_LIMITS)
    with pytest.raises(RequestRefused, match="deeper than 5"):
        judge({"model": "base", "extra": deep(5)}, TIGHT, NO_LIMITS)
    with pytest.raises(RequestRefused, match="deeper than 5"):
        judge({"model": "base", "prompt": [1, 2, deep(400)]}, TIGHT, NO_LIMITS)


def test_a_key_may_be_tighter_than_the_server_and_never_wider() -> None:
    key = KeyLimits(n=1, max_tokens=4)
    with pytest.raises(RequestRefused, match="at most 1"):
        judge({"model": "base", "n": 2}, TIGHT, key)
    with pytest.raises(RequestRefused, match="at most 8"):
        judge({"model": "base", "max_tokens": 9}, TIGHT, KeyLimits(max_tokens=100))


def test_a_key_s_bound_is_asked_for_where_the_client_is_silent() -> None:
    key = KeyLimits(max_tokens=4)
    free = Limits()
    assert with_bounds({}, free, key, kind="chat") == {"max_tokens": 4}
    assert with_bounds({"max_tokens": None}, free, key, kind="chat") == {"max_tokens": 4}
    assert with_bounds({"max_completion_tokens": 2}, free, key, kind="chat") == {}
    assert with_bounds({}, free, key, kind="response") == {"max_output_tokens": 4}
    assert with_bounds({}, free, NO_LIMITS, kind="chat") == {}
    assert with_bounds({}, Limits(max_tokens=3), key, kind="completion") == {"max_tokens": 3}
    assert with_bounds({}, free, key, kind="tokenize") == {}


def test_a_length_that_the_engine_passes_over_lifts_no_bound() -> None:
    key, free = KeyLimits(max_tokens=4), Limits()
    other = {"max_output_tokens": 1}
    assert with_bounds(other, free, key, kind="chat") == {"max_tokens": 4}
    assert with_bounds({"max_tokens": 1}, free, key, kind="response") == {"max_output_tokens": 4}
    other = {"max_completion_tokens": 1}
    assert with_bounds(other, free, key, kind="completion") == {"max_tokens": 4}


def test_the_default_limits_let_an_ordinary_request_pass() -> None:
    request = {
        "model": "a*0.5+b*0.5",
        "messages": [{"role": "user", "content": "hello " * 1000}],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
        "n": 4,
        "logprobs": True,
        "top_logprobs": 20,
        "max_tokens": 100_000,
        "stop": ["a", "b"],
    }
    judge(request, Limits(), NO_LIMITS)
