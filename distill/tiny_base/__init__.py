"""The shipped tiny base: a few million parameters of our own, so that everything runs anywhere.

Two sizes share one tokenizer and one chat template; the smaller stands in the folder `small`.
"""

import json
from pathlib import Path
from typing import Literal

Size = Literal["base", "small"]

NAMES: dict[Size, str] = {"base": "skillweave-tiny", "small": "skillweave-tiny-small"}
"""What the cards of the two sizes call them."""


def tiny_base_path(size: Size = "base") -> Path:
    """The folder that holds a shipped base: weights, tokenizer, chat template and card."""
    here = Path(__file__).parent
    return here if size == "base" else here / size


def is_tiny(base: Path) -> bool:
    """Whether a folder holds a base of ours: a shipped one, a copy, or one trained by our script.

    Its `card.json` says so; a folder without one that can be read is somebody else's.
    """
    try:
        card = json.loads((base / "card.json").read_text())
    except (OSError, ValueError):
        return False
    return isinstance(card, dict) and card.get("name") in NAMES.values()


__all__ = ["NAMES", "Size", "is_tiny", "tiny_base_path"]
