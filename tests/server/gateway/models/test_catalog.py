"""What is remembered of names: known ones, unknown ones, and for how long at most."""

from typing import Any

import pytest
from skillweave.adapters.errors import NotFound
from skillweave.adapters.expr import parse_term
from skillweave.server.gateway.models.catalog import MAX_UNKNOWN, Catalog


def test_an_unknown_name_is_looked_for_once_until_the_store_changes(stock: Any) -> None:
    stock.put("csv", seed=1)
    catalog = Catalog(stock.store, family=stock.identity.family_digest, skills={})
    term = parse_term("sql")
    assert catalog.cached(term) is None
    with pytest.raises(NotFound) as first:
        catalog.find(term)
    with pytest.raises(NotFound, match="does not exist or you do not have access") as again:
        catalog.cached(term)
    assert str(again.value) == str(first.value)
    assert catalog.cached(parse_term("csv")) is None  # another name is another matter
    stock.put("sql", seed=2)
    catalog.forget()
    assert catalog.find(term).version_label == "1"


def test_many_unknown_names_push_out_no_known_one(stock: Any) -> None:
    stock.put("sql", seed=1)
    catalog = Catalog(stock.store, family=stock.identity.family_digest, skills={})
    catalog.find(parse_term("sql"))
    for number in range(MAX_UNKNOWN + 1):
        with pytest.raises(NotFound):
            catalog.find(parse_term(f"x{number}"))
    assert catalog.cached(parse_term("x0")) is None  # pushed out by the newer ones
    with pytest.raises(NotFound):
        catalog.cached(parse_term(f"x{MAX_UNKNOWN}"))


def test_what_was_looked_up_before_a_change_is_not_remembered_after_it(stock: Any) -> None:
    """An alias moves between the look and the note of it; the note would be stale for a while."""
    for seed in (1, 2):
        stock.put("sql", seed=seed)
    store = stock.store

    class Slow:
        """A store during whose answer somebody moves the alias."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def resolve(self, ref: str, *, base: str | None = None) -> Any:
            found = store.resolve(ref, base=base)
            if found.number == 1:
                catalog.move(store.resolve("sql@2"), "default", None)
            return found

    slow: Any = Slow()
    catalog = Catalog(slow, family=stock.identity.family_digest, skills={})
    assert catalog.find(parse_term("sql")).version_label == "1"
    assert catalog.cached(parse_term("sql")) is None
    assert catalog.find(parse_term("sql")).version_label == "2"
