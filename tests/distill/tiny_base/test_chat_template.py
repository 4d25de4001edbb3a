"""The chat template: what a conversation looks like in tokens, and what of it is learned."""

import json

import jinja2
import pytest
from transformers import PreTrainedTokenizerBase

Chat = list[dict[str, object]]
TOOL = {
    "type": "function",
    "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}},
}
CALL = {"name": "look_up", "arguments": {"key": "b", "é": 1}}


def system(text: str) -> dict[str, object]:
    return {"role": "system", "content": text}


def user(text: str) -> dict[str, object]:
    return {"role": "user", "content": text}


def assistant(text: str | None, **more: object) -> dict[str, object]:
    return {"role": "assistant", "content": text, **more}


def calling(*calls: dict[str, object], text: str | None = None) -> dict[str, object]:
    return assistant(text, tool_calls=[{"type": "function", "function": call} for call in calls])


def rendered(tokenizer: PreTrainedTokenizerBase, chat: Chat, **options: object) -> str:
    return str(tokenizer.apply_chat_template(chat, tokenize=False, **options))


def learned(tokenizer: PreTrainedTokenizerBase, chat: Chat, **options: object) -> str:
    out = tokenizer.apply_chat_template(
        chat, tokenize=True, return_dict=True, return_assistant_tokens_mask=True, **options
    )
    pairs = zip(out["input_ids"], out["assistant_masks"], strict=True)
    return str(tokenizer.decode([one for one, mark in pairs if mark]))


def test_one_turn_waits_for_the_assistant(tokenizer: PreTrainedTokenizerBase) -> None:
    chat = [system("be exact"), user("b c")]
    assert rendered(tokenizer, chat, add_generation_prompt=True) == (
        "<|im_start|>system\nbe exact<|im_end|>\n"
        "<|im_start|>user\nb c<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_several_turns_follow_each_other(tokenizer: PreTrainedTokenizerBase) -> None:
    chat = [user("b"), assistant("c"), user("d"), system("now be brief"), assistant("f")]
    assert rendered(tokenizer, chat) == (
        "<|im_start|>user\nb<|im_end|>\n"
        "<|im_start|>assistant\nc<|im_end|>\n"
        "<|im_start|>user\nd<|im_end|>\n"
        "<|im_start|>system\nnow be brief<|im_end|>\n"
        "<|im_start|>assistant\nf<|im_end|>\n"
    )


@pytest.mark.parametrize("given", [CALL["arguments"], json.dumps(CALL["arguments"])])
def test_tools_calls_and_results_are_in_the_hermes_form(
    tokenizer: PreTrainedTokenizerBase, given: object
) -> None:
    chat: Chat = [
        system("be exact"),
        user("b"),
        calling({"name": "look_up", "arguments": given}, text="I look."),
        {"role": "tool", "content": "one"},
        {"role": "tool", "content": "two"},
        assistant("c"),
    ]
    text = rendered(tokenizer, chat, tools=[TOOL])
    head, turns = text.split("<|im_end|>\n", 1)
    assert head.startswith("<|im_start|>system\nbe exact\n\ntools:\n<tools>\n")
    assert json.loads(head.split("<tools>\n")[1].split("\n</tools>")[0]) == TOOL
    call = turns.split("<tool_call>\n")[1].split("\n</tool_call>")[0]
    assert json.loads(call) == CALL
    assert turns == (
        "<|im_start|>user\nb<|im_end|>\n"
        f"<|im_start|>assistant\nI look.\n<tool_call>\n{call}\n</tool_call><|im_end|>\n"
        "<|im_start|>user\n<tool_response>\none\n</tool_response>\n"
        "<tool_response>\ntwo\n</tool_response><|im_end|>\n"
        "<|im_start|>assistant\nc<|im_end|>\n"
    )


def test_tools_without_a_system_message_get_one(tokenizer: PreTrainedTokenizerBase) -> None:
    text = rendered(tokenizer, [user("b")], tools=[TOOL, TOOL])
    assert text.startswith("<|im_start|>system\ntools:\n<tools>\n{")
    assert text.count("look_up") == 2
    assert text.endswith("<|im_end|>\n<|im_start|>user\nb<|im_end|>\n")


def test_two_calls_without_text_stand_on_lines_of_their_own(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    text = rendered(tokenizer, [user("b"), calling(CALL, CALL)])
    answer = text.split("<|im_start|>assistant\n")[1]
    assert answer.startswith("<tool_call>\n{")
    assert "</tool_call>\n<tool_call>\n" in answer


def test_thinking_is_a_switch(tokenizer: PreTrainedTokenizerBase) -> None:
    chat = [user("b")]
    on = rendered(tokenizer, chat, add_generation_prompt=True, enable_thinking=True)
    off = rendered(tokenizer, chat, add_generation_prompt=True, enable_thinking=False)
    assert on == off + "<think>\n"
    assert off == rendered(tokenizer, chat, add_generation_prompt=True)


def test_thoughts_of_this_turn_are_shown_and_those_of_earlier_ones_are_not(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    chat = [
        user("b"),
        assistant("c", reasoning_content="old"),
        user("d"),
        assistant("f", reasoning_content="\nnew\n"),
    ]
    text = rendered(tokenizer, chat)
    assert "old" not in text
    assert text.endswith("<|im_start|>assistant\n<think>\nnew\n</think>\n\nf<|im_end|>\n")
    # What is learned continues exactly what the model is given with the switch on.
    prompt = rendered(tokenizer, chat[:-1], add_generation_prompt=True, enable_thinking=True)
    assert text.startswith(prompt)


def test_an_answer_is_learned_with_its_end_and_nothing_else(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    chat: Chat = [
        system("be exact"),
        user("<b> c"),
        assistant("one\ntwo"),
        user("d"),
        calling(CALL, text="three"),
        {"role": "tool", "content": "four"},
        assistant("five", reasoning_content="so"),
    ]
    text = learned(tokenizer, chat, tools=[TOOL])
    call = json.dumps(CALL, ensure_ascii=False)
    assert text == (
        "one\ntwo<|im_end|>"
        f"three\n<tool_call>\n{call}\n</tool_call><|im_end|>"
        "<think>\nso\n</think>\n\nfive<|im_end|>"
    )


def test_a_conversation_without_an_answer_teaches_nothing(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    assert learned(tokenizer, [system("a"), user("b")], add_generation_prompt=True) == ""


def test_a_prompt_is_a_prefix_of_the_row_that_is_trained_on(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    chat = [system("be exact"), user("b c"), assistant("1: c b\nfinal: [ c b ]")]
    whole = tokenizer.apply_chat_template(chat, tokenize=True, return_dict=False)
    prompt = tokenizer.apply_chat_template(
        chat[:-1], tokenize=True, return_dict=False, add_generation_prompt=True
    )
    assert whole[: len(prompt)] == prompt


def test_an_unknown_role_is_refused(tokenizer: PreTrainedTokenizerBase) -> None:
    with pytest.raises(jinja2.TemplateError, match="role judge is unknown, expected system"):
        rendered(tokenizer, [{"role": "judge", "content": "b"}])


@pytest.mark.slow  # it imports the engine
def test_the_engines_own_parser_reads_our_tool_calls(tokenizer: PreTrainedTokenizerBase) -> None:
    parsers = pytest.importorskip("vllm.tool_parsers.hermes_tool_parser")
    protocol = pytest.importorskip("vllm.entrypoints.openai.chat_completion.protocol")
    chat = [user("b"), calling(CALL, {"name": "stop", "arguments": {}}, text="I look.")]
    answer = rendered(tokenizer, chat).split("<|im_start|>assistant\n")[1]
    answer = answer.removesuffix("<|im_end|>\n")
    request = protocol.ChatCompletionRequest(model="m", messages=[user("b")], tools=[TOOL])
    parser = parsers.Hermes2ProToolParser(tokenizer, request.tools)
    found = parser.extract_tool_calls(answer, request)
    assert found.tools_called
    assert [call.function.name for call in found.tool_calls] == ["look_up", "stop"]
    assert json.loads(found.tool_calls[0].function.arguments) == CALL["arguments"]
    assert found.content.strip() == "I look."
