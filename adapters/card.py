"""The card: what is known about an adapter on the day it was made. Pure.

All of it is immutable and enters the version digest. What is learnt later (evaluations, verified
precisions) is no part of a card; it is appended to the store as attestations.
To add a field: give it a default, so that old cards still read; digests of stored versions are
computed over the stored document and do not move.
"""

import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from .digests import canonical_json

CARD_FILE = "card.json"

CardKind = Literal["skill", "composed", "vector", "graft", "shared", "policy", "author", "router"]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256, 64 lower-case hex digits."""


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class CardBase(_Strict):
    """The base that the adapter was made for."""

    family_digest: Digest
    """Digest of the original weights; adapters, versions and aliases belong to a family."""
    precision: str
    """Precision the adapter was made on: fp32, bf16, fp16, nf4, fp8, awq, ..."""
    tokenizer_digest: Digest
    """Digest of the tokenizer's files."""
    template_digest: Digest
    """Identity of the chat template."""
    architecture: str = ""
    """Class name from the base's config, for people."""
    name: str = ""
    """What people call the base, for people."""
    asserted: bool = False
    """True where somebody says so (an import), False where we trained on it ourselves."""


class Frame(_Strict):
    """How the skill is used, and therefore how it was trained."""

    system: str | None = None
    """System message that stays beside the adapter; None for none."""
    tools: tuple[dict[str, JsonValue], ...] = ()
    """Tool definitions in the chat request's format."""
    template_args: dict[str, JsonValue] = Field(default_factory=dict)
    """Arguments of the chat template; the gateway applies them as defaults."""


class Parent(_Strict):
    """One adapter that this one was composed or grown from."""

    version_digest: Digest
    """Which version exactly."""
    weight: float = 1.0
    """Its weight in a composition."""
    ref: str = ""
    """How it was called then, for people."""


class RecipeRecord(_Strict):
    """How the adapter was made."""

    name: str
    """Name of the recipe."""
    config: dict[str, JsonValue] = Field(default_factory=dict)
    """The resolved config."""


class Card(_Strict):
    """What is known about an adapter on the day it was made."""

    card_version: Literal[1] = 1
    """Version of this schema."""
    kind: CardKind
    """What the adapter is for."""
    base: CardBase
    """The base it belongs to."""
    skill_name: str = ""
    """The skill's name as its author wrote it; the store uses a slug of it."""
    description: str = ""
    """The skill's description."""
    frame: Frame = Frame()
    """How it is used."""
    parents: tuple[Parent, ...] = ()
    """What it was made from."""
    recipe: RecipeRecord | None = None
    """How it was made; None for an import."""
    data_digest: Digest | None = None
    """The training rows in the store; None where they were not kept (no retraining then)."""
    seed: int | None = None
    """Seed of the run."""
    code_revision: str | None = None
    """Revision of the code that made it."""
    licence: str | None = None
    """From skill, base and teacher; never a default."""


def card_document(card: Card) -> dict[str, JsonValue]:
    """The JSON document of a card, as it is stored and digested."""
    return card.model_dump(mode="json")


def card_bytes(card: Card) -> bytes:
    """What goes into `card.json`: canonical JSON and a newline."""
    return canonical_json(card_document(card)) + b"\n"


def parse_card(raw: bytes) -> Card:
    """Read `card.json`.

    Raises:
        ValueError: no JSON, or not this schema (pydantic's `ValidationError` names every fault).
    """
    return Card.model_validate(json.loads(raw.decode("utf-8")))
