"""Evidence as a reader should see it: arms with intervals, controls told apart, verdicts. Pure.

Attestations are documents that anybody may have written. Those that follow our own forms (`means`
with `n`, or `arms` with `mean`, `ci` and `n`) become a table; whatever else stands in them is kept
as short text. Owns that reading. Refuses to own what counts (`router/forms.py`): nothing here
decides in which form a skill is served. To add a form of evidence: a reader beside `_arms`.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Document = Mapping[str, object]
Role = Literal["adapter", "text", "control", "other"]

ROLES: Mapping[str, Role] = {
    **dict.fromkeys(("adapter", "s2l"), "adapter"),
    **dict.fromkeys(("text", "full-text"), "text"),
    **dict.fromkeys(
        ("none", "base", "wrong", "irrelevant", "random", "zero", "shared", "shuffled"), "control"
    ),
}
"""What an arm stands for, by the names that our recipes give; any other name is `other`."""

Z_95 = 1.959964
MAX_ARMS = 32
MAX_FACTS = 24
MAX_CHARS = 240
_TOLD = frozenset({"type", "split", "n", "means", "arms", "form", "reason", "base"})


@dataclass(frozen=True)
class Arm:
    """One condition that was measured: the share of items passed, 0 to 1, and its interval.

    `low` and `high` bound 95 %; `interval` says whether they were stated in the evidence or follow
    from `mean` and `n` (Wilson). Without `n` there is none.
    """

    name: str
    role: Role
    mean: float
    low: float | None
    high: float | None
    n: int | None
    interval: Literal["stated", "wilson", "unknown"]


@dataclass(frozen=True)
class Finding:
    """One attestation. `hearsay` says where it came from if it is not this store's own word."""

    type: str
    hearsay: str | None
    split: str | None
    arms: tuple[Arm, ...]
    verdicts: tuple[tuple[str, bool], ...]
    form: str | None
    reason: str | None
    facts: tuple[tuple[str, str], ...]


def finding(document: Document) -> Finding:
    """Read one attestation; never fails, whatever stands in it."""
    hearsay, inner = _unwrap(document)
    left = {k: v for k, v in inner.items() if k not in _TOLD and not isinstance(v, bool)}
    return Finding(
        type=_text(inner.get("type")) or "unnamed",
        hearsay=hearsay,
        split=_text(inner.get("split")),
        arms=tuple(_arms(inner))[:MAX_ARMS],
        verdicts=tuple((_words(k), v) for k, v in inner.items() if isinstance(v, bool))[:MAX_FACTS],
        form=_text(inner.get("form")),
        reason=_text(inner.get("reason")),
        facts=tuple((_words(k), _told(v)) for k, v in left.items())[:MAX_FACTS],
    )


def headline(findings: Sequence[Finding]) -> tuple[Finding, Arm] | None:
    """The figure for a table: the newest accuracy of an adapter, else of a text; hearsay last."""
    own = [one for one in findings if one.hearsay is None]
    ordered = own[::-1] + [one for one in findings if one.hearsay is not None][::-1]
    for role in ("adapter", "text"):
        for each in ordered:
            for arm in each.arms:
                if arm.role == role:
                    return each, arm
    return None


def wilson(mean: float, n: int) -> tuple[float, float]:
    """The 95 % Wilson interval of a share `mean` of `n` >= 1 items: it never leaves 0 to 1."""
    spread = Z_95**2 / n
    middle = (mean + spread / 2) / (1 + spread)
    half = Z_95 * math.sqrt(mean * (1 - mean) / n + spread / (4 * n)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def _unwrap(document: Document) -> tuple[str | None, Document]:
    inner = document.get("evidence")
    if document.get("type") != "imported" or not isinstance(inner, Mapping):
        return None, document
    source = document.get("from")
    repo = source.get("repo") if isinstance(source, Mapping) else None
    return _text(repo) or "elsewhere", inner


def _arms(document: Document) -> Iterator[Arm]:
    means, arms = document.get("means"), document.get("arms")
    if isinstance(means, Mapping):
        for name, mean in means.items():
            yield from _arm(str(name), mean, document.get("n"), None)
    if isinstance(arms, Mapping):
        for name, arm in arms.items():
            if isinstance(arm, Mapping):
                yield from _arm(str(name), arm.get("mean"), arm.get("n"), arm.get("ci"))


def _arm(name: str, mean: object, n: object, stated: object) -> Iterator[Arm]:
    share = _number(mean)
    if share is None:
        return
    count = n if isinstance(n, int) and not isinstance(n, bool) and n > 0 else None
    low, high, how = _interval(share, count, stated)
    yield Arm(name[:MAX_CHARS], ROLES.get(name, "other"), share, low, high, count, how)


def _interval(
    share: float, n: int | None, stated: object
) -> tuple[float | None, float | None, Literal["stated", "wilson", "unknown"]]:
    if isinstance(stated, list | tuple) and len(stated) == 2:
        low, high = _number(stated[0]), _number(stated[1])
        if low is not None and high is not None:
            return low, high, "stated"
    if n is None or not 0 <= share <= 1:
        return None, None, "unknown"
    return *wilson(share, n), "wilson"


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _text(value: object) -> str | None:
    return value[:MAX_CHARS] if isinstance(value, str) and value else None


def _words(key: str) -> str:
    return key.replace("_", " ")[:MAX_CHARS]


def _told(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, str):
        return value[:MAX_CHARS]
    if isinstance(value, Mapping):
        return ", ".join(f"{_words(str(k))} {_told(v)}" for k, v in value.items())[:MAX_CHARS]
    return json.dumps(value, ensure_ascii=False, default=str)[:MAX_CHARS]
