"""A store with something of everything that the page shows: evidence, relatives, hostile words."""

from pathlib import Path

from skillweave.adapters.base.identity import BaseIdentity
from skillweave.adapters.card import Card, RecipeRecord
from skillweave.adapters.compose.compose import compose, keep
from skillweave.adapters.store.store import Store

from ...one_module import make_adapter

HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    "<a href=\"javascript:document.title='owned'\">click</a>"
)
SECRET_SEED = 424242


def fill(store: Store, identity: BaseIdentity, work: Path) -> None:
    """Two versions of `sql-report` with evidence, `csv-clean`, a composition, and `team/evil`."""

    def put(name: str, seed: int, description: str) -> str:
        card = Card(
            kind="skill",
            base=identity.for_card(name="one-module"),
            description=description,
            recipe=RecipeRecord(name="s2l", config={"epochs": 3}),
            seed=SECRET_SEED,
            licence="MIT",
        )
        folder = make_adapter(work / f"{name.replace('/', '.')}-{seed}", seed=seed)
        return store.put(folder, card=card, name=name, base=identity).version_digest

    put("sql-report", 1, "Writes a report from a query.")
    measured = put("sql-report", 2, "Writes a report from a query, better.")
    store.tag("sql-report", "default", 2)
    store.tag("sql-report", "prod", 1)
    evidence = {"type": "routing-evidence", "base": identity.family_digest, "split": "dev", "n": 40}
    means = {"none": 0.0, "text": 0.8, "s2l": 0.9}
    store.attest(measured, {**evidence, "means": means, "adapter_meets": True})
    put("csv-clean", 3, "Cleans a table.")
    evil = put("team/evil", 4, HOSTILE)
    store.attest(evil, {"type": HOSTILE, "note": HOSTILE, "means": {HOSTILE: 0.5}, "n": 4})
    keep(store, compose(store, "sql-report*0.6+csv-clean*0.4"), name="team/blend")
