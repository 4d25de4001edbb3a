"""What every way of making adapters works with: a base, a store and a frame.

Owns the loading of the base, once. Refuses to own teachers and servers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from ..adapters import BaseIdentity, Frame, Store, identify_base
from .learning.sft import load_base
from .tiny_base import is_tiny

Report = Callable[[str, int, int], None]
"""Progress: (what is being done, done, of how many)."""


def quiet(what: str, done: int, of: int) -> None:
    """Progress that nobody watches."""


@dataclass
class Workbench:
    """One base and one store."""

    base: Path
    store: Store
    frame: Frame = field(default_factory=Frame)
    report: Report = quiet

    @property
    def base_name(self) -> str:
        """What cards and PEFT folders call the base: a name, never a local path."""
        return "skillweave-tiny" if is_tiny(self.base) else self.base.name

    @cached_property
    def identity(self) -> BaseIdentity:
        return identify_base(self.base)

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(self.base)
        return tokenizer

    @cached_property
    def model(self) -> PreTrainedModel:
        return load_base(self.base)

    @property
    def pad(self) -> int:
        """The id that fills short rows; masked, so any id does where the tokenizer has none."""
        pad = self.tokenizer.pad_token_id
        return int(pad) if isinstance(pad, int) else 0
