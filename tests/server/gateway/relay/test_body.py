"""Requests: what is refused, and that everything else reaches the engine untouched."""

import json
from pathlib import Path

import pytest
from skillweave.adapters.skills import Skill
from skillweave.server.gateway.errors import RequestRefused
from skillweave.server.gateway.relay.body import (
    conversation_of,
    parse_body,
    rewrite,
    text_of,
    with_skill_text,
)
from skillweave.server.gateway.relay.kinds import Kind

SKILL = Skill("s", "d", body="Do it well.\n", path=Path("/x"))
HELLO = [{"role": "user", "content": "hi"}]


def chat(**fields: object) -> bytes:
    return json.dumps({"model": "m", "messages": HELLO, **fields}).encode()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff{}", "not JSON"),
        (b"[1]", "JSON list"),
        (b"[" * 100_000, "not JSON"),
        (b'{"model":"m","messages":[{"role":"user"}],"temperature":NaN}', "NaN"),
        (b'{"model":"m","messages":[{"role":"user"}],"max_tokens":1e999}', "1e999"),
        (b'{"model":"m","model":"n","messages":[{"role":"user"}]}', "duplicate key 'model'"),
        (b'{"model":"m","messages":[{"role":"user","role":"system"}]}', "duplicate key 'role'"),
        (b'{"messages":[{"role":"user"}]}', "model is None"),
        (b'{"model":"","messages":[{"role":"user"}]}', "model is ''"),
        (b'{"model":7,"messages":[{"role":"user"}]}', "model is 7"),
        (b'{"model":"m"}', "expected a list"),
        (b'{"model":"m","messages":"hi"}', "expected a list"),
        (b'{"model":"m","messages":[]}', "messages is empty"),
        (b'{"model":"m","messages":["hi"]}', r"messages\[0\] is no object"),
        (b'{"model":"m","messages":[{"content":"hi"}]}', r"messages\[0\] is no object"),
    ],
)
def test_refused(raw: bytes, says: str) -> None:
    with pytest.raises(RequestRefused, match=says):
        parse_body(raw, kind="chat")


def test_a_completion_needs_a_prompt() -> None:
    with pytest.raises(RequestRefused, match="prompt is missing"):
        parse_body(b'{"model":"m"}', kind="completion")


def test_control_fields_are_refused() -> None:
    with pytest.raises(RequestRefused, match="priority"):
        parse_body(chat(priority=None), kind="chat")


@pytest.mark.parametrize(
    ("kind", "fields", "param"),
    [
        ("chat", {"messages": HELLO, "prompt": "p"}, "prompt"),
        ("chat", {"messages": HELLO, "input": "p"}, "input"),
        ("completion", {"prompt": "p", "messages": HELLO}, "messages"),
        ("response", {"input": "p", "messages": HELLO}, "messages"),
        ("response", {"input": "p", "prompt": {"id": "x"}}, "prompt"),
        ("response", {}, "input"),
        ("response", {"input": []}, "input"),
        ("response", {"input": 7}, "input"),
        ("response", {"input": ["hi"]}, "input[0]"),
        ("tokenize", {}, "prompt"),
        ("tokenize", {"messages": HELLO, "prompt": "p"}, "prompt"),
    ],
)
def test_only_what_is_answered_may_be_said(
    kind: Kind, fields: dict[str, object], param: str
) -> None:
    with pytest.raises(RequestRefused) as caught:
        parse_body(json.dumps({"model": "m", **fields}).encode(), kind=kind)
    assert caught.value.param == param


def test_an_input_is_a_conversation() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "c", "output": "42"}
    question = {"role": "user", "content": "q"}
    thought = {"type": "reasoning", "summary": []}
    fields = {"input": [question, thought, call, {**call, "call_id": "d"}, result, result]}
    turns = conversation_of({**fields, "instructions": "be brief"})
    assert turns is not None
    assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "tool", "tool"]
    assert len(turns[2]["tool_calls"]) == 2  # type: ignore[arg-type]
    assert conversation_of({"input": "hi"}) == HELLO
    assert conversation_of({"messages": HELLO}) == HELLO
    assert conversation_of({"prompt": "p"}) is None


def test_a_skill_goes_into_the_instructions() -> None:
    fields = parse_body(b'{"model":"m","input":"hi","instructions":"Be brief."}', kind="response")
    out = json.loads(rewrite(fields, model="n", skill=SKILL, template_arguments={"t": 1}))
    assert out["instructions"] == "Be brief.\n\nDo it well."
    assert out["chat_template_kwargs"] == {"t": 1}
    assert out["input"] == "hi"


def test_other_fields_pass_unchanged() -> None:
    extra = {"temperature": 0.1, "tools": [{"a": None}], "seed": 2**60, "unheard_of": "\U0001f600é"}
    fields = parse_body(chat(**extra), kind="chat")
    sent = json.loads(rewrite(fields, model="engine-name"))
    assert sent == {"model": "engine-name", "messages": HELLO, **extra}


def test_a_skill_becomes_the_system_message() -> None:
    sent = with_skill_text(HELLO, SKILL)
    assert sent == [{"role": "system", "content": "Do it well."}, *HELLO]


def test_a_skill_goes_behind_an_existing_system_message() -> None:
    sent = with_skill_text([{"role": "system", "content": "Be brief."}, *HELLO], SKILL)
    assert sent == [{"role": "system", "content": "Be brief.\n\nDo it well."}, *HELLO]


def test_a_system_message_in_parts_is_kept() -> None:
    parts = [{"type": "text", "text": "Be"}, {"type": "text", "text": "brief."}]
    sent = with_skill_text([{"role": "system", "content": parts}], SKILL)
    assert sent[0]["content"] == "Be\nbrief.\n\nDo it well."


def test_template_arguments_are_defaults() -> None:
    fields = parse_body(chat(chat_template_kwargs={"thinking": True}), kind="chat")
    sent = json.loads(rewrite(fields, model="m", template_arguments={"thinking": False, "x": 1}))
    assert sent["chat_template_kwargs"] == {"thinking": True, "x": 1}


def test_template_arguments_do_not_reach_a_plain_prompt() -> None:
    fields = parse_body(b'{"model":"m","prompt":"p"}', kind="completion")
    sent = json.loads(rewrite(fields, model="m", template_arguments={"x": 1}))
    assert sent == {"model": "m", "prompt": "p"}


def test_text_of_content() -> None:
    assert text_of("a") == "a"
    assert text_of(None) == ""
    assert text_of([{"type": "image_url"}, {"type": "text", "text": "a"}]) == "a"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
def test_half_a_character_is_refused_in_every_encoding(encoding: str) -> None:
    body = '{"model":"m","messages":[{"role":"user","content":"%s"}]}'
    for half in ("\ud83d", "\\ud83d"):
        with pytest.raises(RequestRefused, match=r"half a character|not JSON"):
            parse_body((body % half).encode(encoding, "surrogatepass"), kind="chat")
    assert parse_body((body % "\N{GRINNING FACE}").encode(encoding), kind="chat")["model"] == "m"


def test_half_a_character_is_refused_and_a_pair_is_one() -> None:
    body = b'{"model":"base","messages":[{"role":"user","content":"%s"}]}'
    for half in (b"a\\ud83d", b"\\uDE00 b", b"\\ude00\\ud83d"):
        with pytest.raises(RequestRefused, match="half a character"):
            parse_body(body % half, kind="chat")
    fields = parse_body(body % b"\\ud83d\\ude00 \\\\ud83d", kind="chat")
    assert fields["messages"] == [{"role": "user", "content": "\U0001f600 \\ud83d"}]
