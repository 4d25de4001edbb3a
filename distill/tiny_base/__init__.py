"""The shipped tiny base: a few million parameters of our own, so that everything runs anywhere."""

from pathlib import Path


def tiny_base_path() -> Path:
    """The folder that holds the shipped base: weights, tokenizer, chat template and card."""
    return Path(__file__).parent


__all__ = ["tiny_base_path"]
