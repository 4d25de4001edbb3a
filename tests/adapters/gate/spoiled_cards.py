"""Cards that are none, and sound adapters that do not fit this base or this engine."""

import json
from dataclasses import replace
from pathlib import Path

from skillweave.adapters.card import CARD_FILE, Card, card_bytes
from skillweave.adapters.gate.policy import GatePolicy

from .healthy import BASE
from .spoiling import SHAPE, UNKNOWN, Kind, add, kind


def _card(code: str, **change: object) -> Kind:
    def spoil(folder: Path) -> None:
        base = BASE.for_card().model_copy(update=change)
        (folder / CARD_FILE).write_bytes(card_bytes(Card(kind="skill", base=base)))

    return kind(code, spoil)


CARDS: dict[str, Kind] = {
    "a card for another base": _card("wrong_base", family_digest="f" * 64),
    "a card for another tokenizer": _card("wrong_tokenizer", tokenizer_digest="f" * 64),
    "a card for another precision": _card("other_precision", precision="nf4"),
    "an empty card": kind("bad_card", add(CARD_FILE, b"{}")),
    "a card that is no JSON": kind("bad_card", add(CARD_FILE, b"{")),
    "a card nested without end": kind("bad_card", add(CARD_FILE, b"[" * 200_000)),
    "a card with a field too many": kind(
        "bad_card",
        lambda f: (f / CARD_FILE).write_text(
            json.dumps({"kind": "skill", "base": BASE.for_card().model_dump(), "turbo": 1})
        ),
    ),
    "a base without the module": kind(
        UNKNOWN, lambda f: None, base=replace(BASE, modules={"lm_head": (64, 16)})
    ),
    "a base of another width": kind(
        SHAPE,
        lambda f: None,
        base=replace(BASE, modules={k: (o + 8, i) for k, (o, i) in BASE.modules.items()}),
    ),
    "an engine of a lower rank": kind(
        "rank_above_cap", lambda f: None, policy=GatePolicy(max_rank=2)
    ),
}
