"""Words of strangers in our own sentences. Pure.

Owns how a name that we did not choose is shown, and which names are refused because they could
lie to whoever reads them. Refuses to own what a name means.
"""

from collections.abc import Sequence

_EXAMPLES = 3
_MAX_CHARS = 120


def is_plain(name: str) -> bool:
    """Whether a name shows as what it is: no control characters, no hidden turns, valid Unicode."""
    return name.isprintable() and "\\" not in name


def shown(text: str) -> str:
    """A stranger's text for one line: what does not print is escaped, what is long is cut."""
    cut = text[:_MAX_CHARS]
    if not cut.isprintable():
        cut = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)
    return cut + ("..." if len(text) > _MAX_CHARS else "")


def some(names: Sequence[str]) -> str:
    """The first few of a list, for a message."""
    return ", ".join(shown(name) for name in names[:_EXAMPLES]) + (
        ", ..." if len(names) > _EXAMPLES else ""
    )
