"""What the page is looked at with: a stocked server, from constructed adapters or a demo's.

Owns the names that the checks rely on, and hostile words in a card. Refuses to own the server.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...adapters import BaseIdentity, Card, Store
from ...adapters.card import RecipeRecord
from ...adapters.compose.compose import compose, keep

MakeAdapter = Callable[[Path, int], Path]
"""Writes a sound PEFT folder for the base; another seed gives other bytes."""

HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    "<a href=\"javascript:document.title='owned'\">click</a>"
)
BLEND, EVIL = "team/blend", "team/evil"
SEED = 424242
"""Seed on the cards; told to the admin only."""


@dataclass(frozen=True)
class Place:
    """A server with two adapters of evidence, a composition of them, and one of hostile words."""

    root: str
    admin_key: str
    first: str
    second: str
    blend: str = BLEND
    evil: str = EVIL


def fill(store: Store, identity: BaseIdentity, work: Path, *, make: MakeAdapter) -> tuple[str, str]:
    """`sql-report` in two versions with evidence, `csv-clean`, and what `add_rest` adds."""

    def put(name: str, seed: int, description: str) -> str:
        card = _card(identity, description)
        version = store.put(
            make(work / f"{name}-{seed}", seed), card=card, name=name, base=identity
        )
        return version.version_digest

    put("sql-report", 1, "Writes a report from a query.")
    measured = put("sql-report", 2, "Writes a report from a query, better.")
    store.tag("sql-report", "default", 2)
    store.tag("sql-report", "prod", 1)
    put("csv-clean", 3, "Cleans a table.")
    evidence = {"type": "routing-evidence", "base": identity.family_digest, "split": "dev", "n": 40}
    means = {"none": 0.0, "text": 0.8, "s2l": 0.9}
    store.attest(measured, {**evidence, "means": means, "adapter_meets": True})
    names = ("sql-report", "csv-clean")
    add_rest(store, identity, make(work / "evil", 4), *names)
    return names


def add_rest(store: Store, identity: BaseIdentity, folder: Path, first: str, second: str) -> None:
    """The composition of two stored adapters, and an adapter whose every word is hostile."""
    card = _card(identity, HOSTILE)
    evil = store.put(folder, card=card, name=EVIL, base=identity)
    told = {"type": HOSTILE, "note": HOSTILE, "means": {HOSTILE: 0.5}, "n": 4}
    store.attest(evil.version_digest, told)
    keep(store, compose(store, f"{first}*0.6+{second}*0.4"), name=BLEND)


def _card(identity: BaseIdentity, description: str) -> Card:
    return Card(
        kind="skill",
        base=identity.for_card(),
        description=description,
        recipe=RecipeRecord(name="s2l", config={"epochs": 3}),
        seed=SEED,
        licence="MIT",
    )
