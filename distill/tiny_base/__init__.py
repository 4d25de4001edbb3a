"""The shipped tiny base: a few million parameters of our own, so that everything runs anywhere."""

from pathlib import Path


def tiny_base_path() -> Path:
    """The folder that holds the shipped base: weights, tokenizer, chat template and card."""
    return Path(__file__).parent


def is_tiny(base: Path) -> bool:
    """Whether a folder is the shipped base."""
    return base.resolve() == tiny_base_path().resolve()


__all__ = ["is_tiny", "tiny_base_path"]
