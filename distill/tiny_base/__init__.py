"""The shipped tiny base: a few million parameters of our own, so that everything runs anywhere.

Two sizes share one tokenizer and one chat template; the smaller stands in the folder `small`.
"""

from pathlib import Path
from typing import Literal

Size = Literal["base", "small"]


def tiny_base_path(size: Size = "base") -> Path:
    """The folder that holds a shipped base: weights, tokenizer, chat template and card."""
    here = Path(__file__).parent
    return here if size == "base" else here / size


def is_tiny(base: Path) -> bool:
    """Whether a folder is a shipped base, of either size."""
    return base.resolve() in {tiny_base_path().resolve(), tiny_base_path("small").resolve()}


__all__ = ["Size", "is_tiny", "tiny_base_path"]
