"""Conversations to token ids, piece by piece, by the base's own chat template.

Owns how a conversation grows without ever tokenising an answer again: what stands between two
answers is cut out of the template's own rendering. Refuses to own whole conversations
(`rendering.py`).
"""

from collections.abc import Sequence
from typing import Any

from transformers import PreTrainedTokenizerBase

from ...adapters.card import Frame
from ...adapters.errors import UsageError
from ..rendering import framed, prompt_ids
from ..worlds.types import Message

_HERE = "skillweave-answer-stands-here"
"""Takes the place of an answer in a rendering, to find what the template puts after it."""


class ChatRenderer:
    """The pieces of one tokenizer's chat template; satisfies `policy.Renderer`."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer

    def opening(self, messages: Sequence[Message], frame: Frame) -> tuple[int, ...]:
        return tuple(prompt_ids(self._tokenizer, messages, frame))

    def following(
        self,
        told: Sequence[Message],
        news: Sequence[Message],
        frame: Frame,
        *,
        after: Sequence[int],
    ) -> tuple[int, ...]:
        """See `policy.Renderer`.

        Raises:
            UsageError: the template leaves an answer out, or says it twice.
        """
        piece = self.encode(self._behind(told, news, frame))
        ended = bool(after) and after[-1] == piece[0] and piece[0] in self._special
        return piece[1:] if ended else piece

    def closing(self, told: Sequence[Message], frame: Frame) -> tuple[int, ...]:
        piece = self.encode(self._behind(told, (), frame))
        return piece[:1] if piece and piece[0] in self._special else ()

    def encode(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False))

    def decode(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))

    @property
    def _special(self) -> frozenset[int]:
        return frozenset(self._tokenizer.all_special_ids)

    def _behind(self, told: Sequence[Message], news: Sequence[Message], frame: Frame) -> str:
        """What the template puts behind an answer: its end, and `news` up to the next answer."""
        conversation = [*told, {"role": "assistant", "content": _HERE}, *news]
        arguments: dict[str, Any] = {**frame.template_args, "add_generation_prompt": bool(news)}
        text = str(
            self._tokenizer.apply_chat_template(
                framed(conversation, frame),
                tools=list(frame.tools) or None,
                tokenize=False,
                **arguments,
            )
        )
        if text.count(_HERE) != 1:
            raise UsageError(
                f"the chat template says an answer {text.count(_HERE)} times, expected once; a "
                "conversation cannot grow by it, so play such a base one turn at a time"
            )
        return text.partition(_HERE)[2]
