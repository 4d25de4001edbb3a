"""Answers of arms on disk, found again by what was asked: one recipe asks, the next ones reuse.

Owns the fingerprint of an arm and the folder of answers. What is kept are answers, never verdicts:
on reuse every answer is verified anew, so a corrected verifier is never overruled by old passes.
Refuses to own where the folder is (the caller's settings) and which arms are worth keeping.

An arm has a fingerprint when everything that decides its answers is known by content: the base's
family digest, the digest of the weights behind every model string, the system texts, the items,
the sampling and the way of asking (`way_of`). Sampling at a temperature above 0 without a seed has
none, and neither has an arm whose model string nobody can name by digest, such as `auto`.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from .evaluator import Ask, skill_of
from .freeze import items_digest, json_digest
from .types import Arm, Item, ItemResult


def arm_fingerprint(
    arm: Arm,
    items: Sequence[Item],
    *,
    base: str,
    weights: Mapping[str, str],
    sampling: Mapping[str, object],
    asked_by: str = "",
) -> str | None:
    """SHA-256 of everything that decides an arm's answers; None where something is not known.

    Args:
        base: family digest of the base.
        weights: model string -> digest of its weights; the base itself with the empty text.
        sampling: every setting of the sampling, by name.
        asked_by: the way of asking, from `way_of`.
    """
    if sampling.get("temperature", 0.0) != 0.0 and sampling.get("seed") is None:
        return None
    rows: list[object] = [base, dict(sampling), items_digest(items), asked_by]
    if arm.samples != 1:
        rows.append(arm.samples)
    for item in items:
        cluster = skill_of(item)
        digest = weights.get(arm.model_for(cluster))
        if digest is None:
            return None
        rows.append([item.id, digest, arm.system_for(cluster)])
    return json_digest(rows)


def way_of(ask: Ask) -> str | None:
    """The way in which an `Ask` asks, by name: its class or function, and its own `fingerprint`.

    None where nobody can tell: a function made inside another may hold any setting.
    """
    own = getattr(ask, "fingerprint", None)
    made = ask if hasattr(ask, "__qualname__") else type(ask)
    name = f"{made.__module__}.{made.__qualname__}"
    if isinstance(own, str):
        return f"{name} {own}"
    return None if made is ask and "<locals>" in name else name


class ArmCache:
    """A folder of answers by fingerprint; it may be deleted at any time.

    Args:
        root: `ROOT/ab/abcd....jsonl`, one result a line.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def get(
        self, fingerprint: str, arm: Arm, items: Sequence[Item]
    ) -> tuple[ItemResult, ...] | None:
        """The kept answers, verified anew and under this arm's name; None where there are none.

        A file that is damaged or does not hold exactly these items counts as none.
        """
        try:
            lines = self._path(fingerprint).read_text(encoding="utf-8").splitlines()
            kept = {row.item_id: row for row in (ItemResult(**json.loads(line)) for line in lines)}
        except (OSError, ValueError, TypeError):
            return None
        if kept.keys() != {item.id for item in items}:
            return None
        return tuple(_verified(kept[item.id], arm, item) for item in items)

    def put(self, fingerprint: str, results: Sequence[ItemResult]) -> None:
        """Keep the answers of one arm; one with a failed request is not kept. Never half of it."""
        if any(result.error for result in results):
            return
        path = self._path(fingerprint)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        text = "".join(json.dumps(asdict(row), ensure_ascii=True) + "\n" for row in results)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)

    def _path(self, fingerprint: str) -> Path:
        return self._root / fingerprint[:2] / f"{fingerprint}.jsonl"


def _verified(kept: ItemResult, arm: Arm, item: Item) -> ItemResult:
    outcome = item.verify(kept.answer)
    return replace(
        kept,
        arm=arm.name,
        cluster=skill_of(item),
        passed=outcome.passed,
        reward=outcome.reward,
        reason=outcome.reason,
    )
