"""What a client may not say, at the top of a request and deep inside."""

import pytest
from skillweave.server.gateway.errors import RequestRefused
from skillweave.server.gateway.relay.control import CONTROL_FIELDS, check_control

URL = "http://169.254.169.254/latest"


def user(*parts: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": list(parts)}]}


@pytest.mark.parametrize("field", sorted(CONTROL_FIELDS))
def test_control_fields_are_refused_even_when_empty(field: str) -> None:
    with pytest.raises(RequestRefused, match=field) as caught:
        check_control({"model": "m", field: None})
    assert caught.value.param == field


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"chat_template_kwargs": {"chat_template": "x"}}, "chat_template_kwargs.chat_template"),
        ({"chat_template_kwargs": {"tokenize": True}}, "chat_template_kwargs.tokenize"),
        ({"structured_outputs": {"regex": "a", "_backend": "x"}}, "structured_outputs._backend"),
        ({"background": True}, "background"),
        ({"tools": [{"type": "function"}, {"type": "mcp", "server_url": URL}]}, r"tools\[1\]"),
        ({"tools": [{"type": "code_interpreter"}]}, "code_interpreter"),
        ({"tools": [{"type": ["function"]}]}, r"tools\[0\]"),
        (user({"type": "image_url", "image_url": {"url": URL}}), "opens no addresses"),
        (user({"image_url": URL}), "opens no addresses"),
        (user({"type": "audio_url", "audio_url": {"url": "file:///etc/passwd"}}), "file:///etc"),
        (user({"type": "video_url", "video_url": {"url": ""}}), "opens no addresses"),
        (user({"type": "image_url", "image_url": None, "uuid": "theirs"}), "uuid"),
        (user({"type": "image_embeds", "image_embeds": "AA"}), "image_embeds"),
        (user({"type": "prompt_embeds", "data": "AA"}), "prompt_embeds"),
        (user([[{"deep": {"image_pil": 1}}]]), "image_pil"),
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_url": URL}]}]}, URL),
        ({"input": [{"type": "message", "content": [{"file_id": "f-1"}]}]}, "file_id"),
        ({"messages": [{"role": "user", "content": {"image_url": URL}}]}, "opens no addresses"),
    ],
)
def test_what_acts_on_others_is_refused(fields: dict[str, object], says: str) -> None:
    with pytest.raises(RequestRefused, match=says):
        check_control({"model": "m", **fields})


@pytest.mark.parametrize(
    "fields",
    [
        user({"type": "text", "text": f"see {URL}"}),
        user({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}),
        user({"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}),
        {"input": [{"content": [{"type": "output_text", "annotations": [{"url": URL}]}]}]},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"url": URL}}}]},
        {"response_format": {"type": "json_schema", "json_schema": {"url": URL}}},
        {"structured_outputs": {"choice": ["a", "b"]}, "documents": [{"title": "t"}]},
        {"chat_template_kwargs": {"enable_thinking": False}, "background": False},
        {"input": "plain", "metadata": {"uuid": "mine"}},
        {"messages": "not judged here", "tools": "nor this", "chat_template_kwargs": 1},
    ],
)
def test_everything_else_passes(fields: dict[str, object]) -> None:
    check_control({"model": "m", **fields})


def test_depth_is_no_way_around() -> None:
    part: object = {"image_url": URL}
    for _ in range(1500):
        part = [part]
    with pytest.raises(RequestRefused, match="opens no addresses"):
        check_control(user(part))
