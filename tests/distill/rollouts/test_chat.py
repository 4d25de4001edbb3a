"""A conversation that grows piece by piece is the template's rendering of the whole."""

import random

import pytest
from skillweave.adapters.card import Frame
from skillweave.adapters.errors import UsageError
from skillweave.distill.rendering import token_row
from skillweave.distill.rollouts.chat import ChatRenderer
from skillweave.distill.worlds.types import Message
from transformers import PreTrainedTokenizerBase

END = 2
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {}}}
FRAMES = [
    Frame(),
    Frame(system="be exact"),
    Frame(system="be exact", tools=(TOOL,), template_args={"enable_thinking": False}),
]
WORDS = "go to shelf 1 take the apple , café 世界 🙂 final: [ b c ]\n2: b".split(" ")


def conversation(seed: int) -> list[Message]:
    """User and assistant in turns, the assistant last."""
    rng = random.Random(seed)
    texts = [
        " ".join(rng.choices(WORDS, k=rng.randint(1, 9))) for _ in range(2 * rng.randint(1, 5))
    ]
    return [{"role": ("user", "assistant")[i % 2], "content": t} for i, t in enumerate(texts)]


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("ended", [True, False])
def test_running_ids_are_the_templates_own(
    tokenizer: PreTrainedTokenizerBase, frame: Frame, seed: int, ended: bool
) -> None:
    """Whether an answer drew its own end or was cut before it."""
    chat, told = ChatRenderer(tokenizer), conversation(seed)
    running = [*chat.opening(told[:1], frame)]
    for place in range(1, len(told), 2):
        running += chat.encode(told[place]["content"]) + ((END,) if ended else ())
        news = told[place + 1 : place + 2]
        if news:
            running += chat.following(told[:place], news, frame, after=running)
        elif not ended:
            running += chat.closing(told[:place], frame)
    whole = token_row(tokenizer, told, frame).ids
    assert tuple(running) + chat.encode("\n") == whole


def test_ids_are_kept_as_drawn_where_their_text_is_tokenised_otherwise(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    chat = ChatRenderer(tokenizer)
    hi: list[Message] = [{"role": "user", "content": "hi"}]
    spelled = tuple(one for letter in "shelf" for one in chat.encode(letter))
    assert chat.encode(chat.decode(spelled)) != spelled
    running = chat.opening(hi, Frame()) + spelled + (END,)
    piece = chat.following(hi, [{"role": "user", "content": "go"}], Frame(), after=running)
    text = tokenizer.decode(list(running + piece))
    said = [*hi, {"role": "assistant", "content": "shelf"}, {"role": "user", "content": "go"}]
    assert text == tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True)


def test_a_template_that_hides_answers_is_refused(tokenizer: PreTrainedTokenizerBase) -> None:
    chat = ChatRenderer(tokenizer)
    tokenizer_template = tokenizer.chat_template
    try:
        tokenizer.chat_template = "{% for m in messages %}{{ m['role'] }}{% endfor %}"
        with pytest.raises(UsageError, match="says an answer 0 times, expected once"):
            chat.following([], [{"role": "user", "content": "x"}], Frame(), after=(1,))
    finally:
        tokenizer.chat_template = tokenizer_template
