"""What stands behind `alias NAME`: which alias, and which versions answer for it. Pure.

    prod=3          version 3
    prod=3:90,4:10  90 parts for version 3, 10 for version 4
    prod=3,4:10     10 percent for version 4, the rest for version 3

Owns this notation. Refuses to own what a split means (`server/gateway/publishing/splits.py`).
"""

from ...adapters.errors import UsageError
from ...adapters.names import parse_version

PERCENT = 100
EXPECTED = "expected ALIAS=V such as prod=3, or shares such as prod=3:90,4:10 or prod=3,4:10"


def parse_assignment(text: str) -> tuple[str, dict[int, int]]:
    """The alias, and parts by version number.

    Raises:
        UsageError: it does not parse; the message quotes the part at fault.
    """
    alias, equals, versions = text.partition("=")
    if not equals or not alias:
        raise UsageError(f"{text!r} is no assignment: {EXPECTED}")
    shares: dict[int, int] = {}
    rest: int | None = None
    for part in versions.split(","):
        number, weight = _parse_share(part, text)
        if number in shares:
            raise UsageError(f"{text!r} names version {number} twice: {EXPECTED}")
        if weight is None:
            if rest is not None:
                raise UsageError(f"{text!r}: only one version can have the rest; {EXPECTED}")
            rest = number
        shares[number] = weight or 0
    if rest is not None:
        left = PERCENT - sum(shares.values())
        if left <= 0:
            raise UsageError(f"{text!r} leaves nothing of 100 percent for version {rest}")
        shares[rest] = left
    return alias, shares


def _parse_share(part: str, text: str) -> tuple[int, int | None]:
    version, colon, weight = part.partition(":")
    number = parse_version(version)
    if number is None or (colon and not (weight.isdecimal() and weight.isascii())):
        raise UsageError(f"{text!r}: {part!r} is no version with its parts; {EXPECTED}")
    return number, int(weight) if colon else None
