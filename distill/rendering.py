"""From conversations to token ids, exactly as the engine renders them.

Owns the one rule by which training rows are tokenised: the base's own chat template, with the
frame's tools and arguments, and a mask over exactly the assistant's tokens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedTokenizerBase

from ..adapters.card import Frame
from ..adapters.errors import UsageError
from .worlds.types import Message


@dataclass(frozen=True)
class TokenRow:
    """One training row: `ids` of `T` tokens and `learn`, True where the assistant wrote."""

    ids: tuple[int, ...]
    learn: tuple[bool, ...]


def framed(messages: Sequence[Message], frame: Frame) -> list[dict[str, str]]:
    """The conversation as a policy sees it: the frame's system message, then the messages."""
    head = [] if frame.system is None else [{"role": "system", "content": frame.system}]
    return [*head, *(dict(m) for m in messages)]


def prompt_ids(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], frame: Frame
) -> list[int]:
    """Ids of a conversation that waits for the assistant."""
    return list(_render(tokenizer, messages, frame, add_generation_prompt=True)["input_ids"])


def token_row(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], frame: Frame
) -> TokenRow:
    """Ids and mask of a conversation whose assistant turns are to be learned.

    Raises:
        UsageError: the chat template marks no assistant tokens (`{% generation %}`), or the
            conversation has none.
    """
    out = _render(tokenizer, messages, frame, return_assistant_tokens_mask=True)
    learn = tuple(bool(mark) for mark in out["assistant_masks"])
    if not any(learn):
        raise UsageError(
            f"the chat template marked 0 of {len(learn)} tokens as the assistant's, expected some; "
            "training needs a template with {% generation %} marks and an assistant turn"
        )
    return TokenRow(tuple(out["input_ids"]), learn)


def _render(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], frame: Frame, **how: bool
) -> Mapping[str, list[int]]:
    arguments: dict[str, Any] = {**frame.template_args, **how}
    out: Any = tokenizer.apply_chat_template(
        framed(messages, frame),
        tools=list(frame.tools) or None,
        tokenize=True,
        return_dict=True,
        **arguments,
    )
    found: Mapping[str, list[int]] = out
    return found
