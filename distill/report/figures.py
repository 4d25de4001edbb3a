"""How numbers are written in a report; pure text.

Owns: units, decimals, thin differences such as a real minus sign. One place, so that the page and
the terminal never disagree.
"""

from __future__ import annotations

MINUS = "\u2212"


def percent(share: float) -> str:
    """`0.942` -> `94.2`; the unit stands in the column's head."""
    return _minus(f"{100 * share:.1f}")


def points(difference: float) -> str:
    """`-0.0312` -> `-3.1` with a real minus sign; always with a sign, except for 0."""
    text = f"{100 * difference:+.1f}"
    return "0.0" if text in {"+0.0", "-0.0"} else _minus(text)


def percent_interval(ci: tuple[float, float]) -> str:
    """`(0.9, 0.97)` -> `90.0 to 97.0`."""
    return f"{percent(ci[0])} to {percent(ci[1])}"


def points_interval(ci: tuple[float, float]) -> str:
    """`(-0.02, 0.01)` -> `-2.0 to +1.0`."""
    return f"{points(ci[0])} to {points(ci[1])}"


def decimal(value: float, digits: int = 1) -> str:
    """A plain number with so many decimals and a thin space at every thousand."""
    return _minus(f"{value:,.{digits}f}".replace(",", "\u202f"))


def plain(value: float) -> str:
    """A number of any size with up to four digits: `480`, `512.3`, `0.1`, `3.1e-05`."""
    if value == 0 or 0.001 <= abs(value) < 1e4:
        return _minus(f"{value:.4g}")
    return _minus(f"{value:.1e}" if abs(value) < 1 else f"{value:,.0f}".replace(",", "\u202f"))


def probability(p: float) -> str:
    """`0.2452` -> `0.245`; anything smaller than 0.001 is only said to be that."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def seconds(value: float) -> str:
    """`3.21` -> `3.2 s`, `192` -> `3 min 12 s`, `7300` -> `2 h 1 min`."""
    if round(value, 1) < 60:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def count(value: int) -> str:
    """`12400` -> `12 400`, with a thin space."""
    return decimal(value, 0)


def share_of(part: int, whole: int) -> str:
    """`(213, 256)` -> `213 of 256`."""
    return f"{count(part)} of {count(whole)}"


def _minus(text: str) -> str:
    return text.replace("-", MINUS)
