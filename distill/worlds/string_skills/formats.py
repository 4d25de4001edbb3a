"""Output formats of the string world: how the final list is written down. Pure."""

from dataclasses import dataclass

from .primitives import Symbols


@dataclass(frozen=True)
class Format:
    """`separator` stands between symbols, `opening` and `closing` around them."""

    name: str
    separator: str
    opening: str
    closing: str
    wordings: tuple[str, ...]

    def write(self, items: Symbols) -> str:
        """The final line's text, e.g. `[ b c ]`."""
        body = self.separator.join(items)
        return " ".join(part for part in (self.opening, body, self.closing) if part)


_ROWS = (
    Format(
        "plain", " ", "", "", ("with spaces only", "with a space between items", "as plain items")
    ),
    Format(
        "commas", ", ", "", "", ("with commas", "with a comma between items", "separated by commas")
    ),
    Format(
        "dashes", " - ", "", "", ("with dashes", "with a dash between items", "joined by dashes")
    ),
    Format("bars", " | ", "", "", ("with bars", "with a bar between items", "separated by bars")),
    Format(
        "slashes",
        " / ",
        "",
        "",
        ("with slashes", "with a slash between items", "separated by slashes"),
    ),
    Format(
        "pluses",
        " + ",
        "",
        "",
        ("with plus signs", "with a plus between items", "joined by plus signs"),
    ),
    Format(
        "brackets",
        " ",
        "[",
        "]",
        ("in brackets", "with brackets around the list", "inside brackets"),
    ),
    Format("stars", " ", "*", "*", ("in stars", "with a star on each side", "between two stars")),
)

FORMATS: dict[str, Format] = {row.name: row for row in _ROWS}
