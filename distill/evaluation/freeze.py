"""Fixing an experiment before it runs: digests of items, arms, criterion and code.

Owns the digests, the small file that holds them, and the refusal of a run that differs. Refuses to
own who decides when: `Trial.ask` freezes before the first request.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from .criterion import Criterion
from .errors import EvaluationError
from .types import Arm, Item

PARTS = ("items", "arms", "criterion", "code", "asking")


class NotAsFrozen(EvaluationError):
    """A run that is not the one that was frozen."""


class Freeze(BaseModel):
    """What an experiment was before it ran, as SHA-256 digests."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    items: str
    """Every item: id, family, split, messages and meta, in order."""
    arms: str
    """Every arm: name, model strings, system texts and number of samples, in order."""
    criterion: str
    """`Criterion.digest`."""
    code: str
    """The files that make and judge the experiment."""
    asking: str = ""
    """The base, the sampling and the way of asking; empty where nobody said."""


def freeze_of(
    items: Sequence[Item],
    arms: Sequence[Arm],
    *,
    criterion: Criterion,
    code: str,
    asking: Sequence[object] = (),
) -> Freeze:
    """The digests of an experiment that is about to run.

    Args:
        code: from `code_digest`.
        asking: what is asked and how, as JSON values; trained weights are a result and no part.
    """
    return Freeze(
        items=items_digest(items),
        arms=arms_digest(arms),
        criterion=criterion.digest,
        code=code,
        asking=json_digest(asking) if asking else "",
    )


def items_digest(items: Iterable[Item]) -> str:
    """SHA-256 over what a policy and a verifier see of the items."""
    return json_digest(
        [i.id, i.family, i.split, [dict(m) for m in i.messages], dict(i.meta)] for i in items
    )


def arms_digest(arms: Iterable[Arm]) -> str:
    """SHA-256 over the arms; `about`, a sentence for readers, does not count."""
    return json_digest(
        [a.name, a.model, a.system, dict(a.models), dict(a.systems)]
        + ([a.samples] if a.samples != 1 else [])
        for a in arms
    )


def code_digest(places: Iterable[Path]) -> str:
    """SHA-256 over Python files; of a folder every one below it counts.

    Names count relative to the place, so a copy of the code has the same digest.

    Raises:
        EvaluationError: there is nothing at a place.
    """
    total = hashlib.sha256()
    for place in places:
        if not place.exists():
            raise EvaluationError(f"no code at {place}: expected a Python file or a folder")
        files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
        for file in files:
            name = file.relative_to(place).as_posix() if place.is_dir() else file.name
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            total.update(f"{name}\0{content}\n".encode())
    return total.hexdigest()


def require_frozen(path: Path, now: Freeze) -> bool:
    """Freeze an experiment into a file, or hold it against the one that was frozen there.

    Returns:
        Whether it was frozen now, for the first time.

    Raises:
        NotAsFrozen: it differs; the message names the parts.
        EvaluationError: the file holds something else.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(now.model_dump_json(indent=1) + "\n", encoding="utf-8")
        return True
    try:
        then = Freeze.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as err:
        raise EvaluationError(f"{path} holds no frozen experiment: {err}") from err
    changed = [part for part in PARTS if getattr(then, part) != getattr(now, part)]
    if changed:
        seen = ", ".join(
            f"{part} ({getattr(then, part)[:12]} then, {getattr(now, part)[:12]} now)"
            for part in changed
        )
        raise NotAsFrozen(
            f"this run is not the one frozen in {path}: {seen} changed. Undo the change, or "
            "freeze the new experiment in another file and report both"
        )
    return False


def json_digest(rows: Iterable[object]) -> str:
    """SHA-256 over values as canonical JSON, one a line."""
    total = hashlib.sha256()
    for row in rows:
        text = json.dumps(row, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        total.update(text.encode() + b"\n")
    return total.hexdigest()
