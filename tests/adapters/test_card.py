"""The card: strict, frozen, the same document back."""

import json

import pytest
from pydantic import ValidationError
from skillweave.adapters.base.identity import BaseIdentity
from skillweave.adapters.card import (
    Card,
    Frame,
    Parent,
    RecipeRecord,
    card_bytes,
    card_document,
    parse_card,
)


def full(base: BaseIdentity) -> Card:
    return Card(
        kind="composed",
        base=base.for_card(name="tiny", asserted=True),
        skill_name="Größe",
        frame=Frame(system="be brief", tools=({"type": "function"},), template_args={"think": 0}),
        parents=(Parent(version_digest="a" * 64, weight=-0.5, ref="a@1"),),
        recipe=RecipeRecord(name="s2l", config={"lr": 0.1, "layers": [1, 2]}),
        data_digest="b" * 64,
        seed=3,
        licence="Apache-2.0",
    )


def test_a_card_survives_the_disk_in_one_spelling(base: BaseIdentity) -> None:
    card = full(base)
    again = parse_card(card_bytes(card))
    assert again == card
    assert card_bytes(again) == card_bytes(card)
    assert json.loads(card_bytes(card)) == card_document(card)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "magic"},
        {"surprise": 1},
        {"data_digest": "xyz"},
        {"card_version": 2},
        {"base": None},
        {"parents": [{"version_digest": "a" * 64, "weight": float("inf")}]},
    ],
)
def test_what_the_schema_does_not_know_is_refused(
    base: BaseIdentity, change: dict[str, object]
) -> None:
    with pytest.raises(ValidationError):
        Card.model_validate({**card_document(full(base)), **change})


def test_a_card_does_not_change(card: Card) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        card.seed = 2  # type: ignore[misc]
