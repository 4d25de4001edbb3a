"""Training ids are the ids that the engine renders, and the mask is the assistant's."""

import pytest
from skillweave.adapters.card import Frame
from skillweave.adapters.errors import UsageError
from skillweave.distill.rendering import framed, prompt_ids, token_row
from transformers import PreTrainedTokenizerBase

ASKED = [{"role": "user", "content": "for the picnic: b c"}]
ANSWERED = [*ASKED, {"role": "assistant", "content": "1: c b\nfinal: [ c b ]"}]
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {}}}
FRAMES = [
    Frame(),
    Frame(system="be exact"),
    Frame(tools=(TOOL,)),
    Frame(system="be exact", tools=(TOOL,), template_args={"enable_thinking": False}),
]


@pytest.mark.parametrize("frame", FRAMES)
def test_ids_are_the_templates_own(tokenizer: PreTrainedTokenizerBase, frame: Frame) -> None:
    told = [] if frame.system is None else [{"role": "system", "content": frame.system}]
    text = tokenizer.apply_chat_template(
        told + ASKED,
        tools=list(frame.tools) or None,
        tokenize=False,
        add_generation_prompt=True,
    )
    assert prompt_ids(tokenizer, ASKED, frame) == tokenizer.encode(str(text))


@pytest.mark.parametrize("frame", FRAMES)
def test_a_row_is_the_prompt_and_then_what_is_learned(
    tokenizer: PreTrainedTokenizerBase, frame: Frame
) -> None:
    prompt = prompt_ids(tokenizer, ASKED, frame)
    row = token_row(tokenizer, ANSWERED, frame)
    assert list(row.ids[: len(prompt)]) == prompt
    assert not any(row.learn[: len(prompt)])
    told = [one for one, learn in zip(row.ids, row.learn, strict=True) if learn]
    assert tokenizer.decode(told) == "1: c b\nfinal: [ c b ]<|im_end|>"
    assert row.learn == (False,) * len(prompt) + (True,) * len(told) + (False,)


def test_every_assistant_turn_is_learned(tokenizer: PreTrainedTokenizerBase) -> None:
    row = token_row(tokenizer, [*ANSWERED, *ANSWERED], Frame())
    told = [one for one, learn in zip(row.ids, row.learn, strict=True) if learn]
    assert str(tokenizer.decode(told)).count("<|im_end|>") == 2


def test_template_arguments_of_the_frame_reach_the_template(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    thinking = Frame(template_args={"enable_thinking": True})
    text = str(tokenizer.decode(prompt_ids(tokenizer, ASKED, thinking)))
    assert text.endswith("<|im_start|>assistant\n<think>\n")


def test_the_frames_system_message_comes_first() -> None:
    assert framed(ASKED, Frame()) == ASKED
    assert framed(ASKED, Frame(system="s")) == [{"role": "system", "content": "s"}, *ASKED]


def test_a_row_without_an_answer_is_refused(tokenizer: PreTrainedTokenizerBase) -> None:
    with pytest.raises(UsageError, match=r"marked 0 of \d+ tokens.*needs a template with"):
        token_row(tokenizer, ASKED, Frame())
