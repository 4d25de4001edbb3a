"""Whether a request stays within the limits, judged on its parsed body. Pure.

Owns the sentences of refusal: each names the field, the value seen and the bound. Refuses to own
the bounds (`server/access_settings.py`), and what only an engine can judge.
To add a limit: a field there, and a function in `_RULES` here.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping

from ...access_settings import Limits
from ..errors import RequestRefused
from ..relay.kinds import Kind
from .keys import KeyLimits

Fields = Mapping[str, object]
ANSWERS = ("n", "best_of")
LENGTHS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "min_tokens")
LENGTHS_OF: Mapping[Kind, tuple[str, ...]] = {
    "chat": ("max_tokens", "max_completion_tokens"),
    "completion": ("max_tokens",),
    "response": ("max_output_tokens",),
    "tokenize": (),
}
"""The fields by which a kind of request bounds its answer; the engine passes over the others."""
TEXTS = ("prompt", "input", "instructions")
ALTERNATIVES = ("logprobs", "top_logprobs", "prompt_logprobs")
STOPS = ("stop", "stop_token_ids", "bad_words")
GRAMMARS = (
    "tools",
    "functions",
    "response_format",
    "structured_outputs",
    "guided_json",
    "guided_grammar",
    "guided_regex",
    "guided_choice",
)
BIASES = ("logit_bias", "allowed_token_ids")


def judge(fields: Fields, limits: Limits, key: KeyLimits) -> None:
    """Refuse what goes beyond a limit of the server or of the key.

    Raises:
        RequestRefused: 400; the first thing that is too much.
    """
    for rule in _RULES:
        rule(fields, limits, key)


def with_bounds(
    fields: Fields, limits: Limits, key: KeyLimits, *, kind: Kind
) -> Mapping[str, object]:
    """What the gateway must ask for in the client's place, so that the bound of an answer holds."""
    names = LENGTHS_OF[kind]
    bound = _least(limits.max_tokens, key.max_tokens)
    if bound is None or not names or any(fields.get(name) is not None for name in names):
        return {}
    return {names[0]: bound}


def _model(fields: Fields, limits: Limits, key: KeyLimits) -> None:
    model = str(fields.get("model", ""))
    _bound("model", len(model), limits.model_chars, "characters")
    _bound("model", model.count("+") + 1, limits.terms, "terms")


def _depth(fields: Fields, limits: Limits, key: KeyLimits) -> None:
    level: list[object] = [fields]
    for _ in range(limits.depth):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise RequestRefused(f"the body nests deeper than {limits.depth} levels, the most that is read")


def _prompt(fields: Fields, limits: Limits, key: KeyLimits) -> None:
    messages = fields.get("messages")
    if isinstance(messages, list):
        _bound("messages", len(messages), limits.messages, "messages")
        _bound("messages", sum(map(_chars, messages)), limits.prompt_chars, "characters")
    prompt = fields.get("prompt")
    if isinstance(prompt, list) and prompt and not isinstance(prompt[0], int):
        _bound("prompt", len(prompt), limits.prompts, "prompts")
    for name in TEXTS:
        chars, tokens = _size(fields.get(name))
        _bound(name, chars, limits.prompt_chars, "characters")
        _bound(name, tokens, limits.prompt_tokens, "tokens")


def _numbers(fields: Fields, limits: Limits, key: KeyLimits) -> None:
    for name in ANSWERS:
        _most(fields, name, _least(limits.n, key.n))
    for name in LENGTHS:
        _most(fields, name, _least(limits.max_tokens, key.max_tokens))
    for name in ALTERNATIVES:
        _most(fields, name, limits.logprobs)
        if _number(fields.get(name)) == -1:
            raise RequestRefused(
                f"{name} is -1, which asks for all: expected at most {limits.logprobs}", param=name
            )


def _lists(fields: Fields, limits: Limits, key: KeyLimits) -> None:
    for name in STOPS:
        _longest(fields, name, limits.stop)
    for name in BIASES:
        _longest(fields, name, limits.biases)
    _longest(fields, "tools", limits.tools)
    for name in GRAMMARS:
        if fields.get(name) is not None:
            size = len(json.dumps(fields[name]))
            _bound(name, size, limits.grammar_chars, "characters of JSON")


_RULES: tuple[Callable[[Fields, Limits, KeyLimits], None], ...] = (
    _depth,
    _model,
    _prompt,
    _numbers,
    _lists,
)


def _bound(name: str, seen: int, bound: int, what: str) -> None:
    if seen > bound:
        raise RequestRefused(
            f"{name} has {seen} {what}: expected at most {bound}, the bound of this server",
            param=name,
        )


def _most(fields: Fields, name: str, bound: int | None) -> None:
    value = _number(fields.get(name))
    if bound is not None and value is not None and not value <= bound:
        raise RequestRefused(f"{name} is {value:g}: expected at most {bound}", param=name)


def _number(value: object) -> float | None:
    """A number as an engine reads it, which takes the string "8" for 8."""
    if not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None if isinstance(value, str) else math.inf


def _longest(fields: Fields, name: str, bound: int) -> None:
    value = fields.get(name)
    if isinstance(value, list | dict) and len(value) > bound:
        raise RequestRefused(
            f"{name} has {len(value)} entries: expected at most {bound}", param=name
        )


def _least(*bounds: int | None) -> int | None:
    return min((bound for bound in bounds if bound is not None), default=None)


def _inside(value: object) -> Iterable[object]:
    """The lists and objects directly inside one."""
    inner = value.values() if isinstance(value, Mapping) else value
    assert isinstance(inner, Iterable)
    return [each for each in inner if type(each) is dict or type(each) is list]


def _chars(value: object) -> int:
    """Characters of all strings inside, without names of fields."""
    total = 0
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            total += len(each)
        elif isinstance(each, dict):
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    return total


def _size(prompt: object) -> tuple[int, int]:
    """Characters and tokens of a prompt: a string, ids, or a list of either."""
    if isinstance(prompt, str):
        return len(prompt), 0
    if not isinstance(prompt, list):
        return 0, 0
    if prompt and not isinstance(prompt[0], list | str | dict):
        return 0, len(prompt)
    tokens = sum(len(each) for each in prompt if isinstance(each, list))
    return _chars([each for each in prompt if isinstance(each, str | dict)]), tokens
