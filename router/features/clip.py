"""How much of a text is looked at, so that a decision stays below 1 ms however long it is. Pure."""

MAX_CHARS = 1600
"""About 250 words: the task stands at the start or the end of a request, the material between."""


def clip(text: str) -> str:
    """The text itself, or its first and last halves of `MAX_CHARS` where it is longer."""
    if len(text) <= MAX_CHARS:
        return text
    half = MAX_CHARS // 2
    return f"{text[:half]}\n{text[-half:]}"
