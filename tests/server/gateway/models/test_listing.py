"""The list of names: versions, aliases and texts joined; looked at again when something changed."""

from collections.abc import Iterator
from pathlib import Path

from skillweave.adapters.card import Card
from skillweave.adapters.names import AdapterId
from skillweave.adapters.store.types import Version
from skillweave.server.gateway.models.found import Found
from skillweave.server.gateway.models.listing import Listing

Row = tuple[Version, tuple[str, ...]]


def no_card() -> Card:
    raise AssertionError("a listing reads no card")


def version(name: str, number: int) -> Version:
    digest = f"{name}{number}"
    return Version(AdapterId.parse(name), "f", number, digest, digest, Path("/o"), "", no_card)


class Shelf:
    """What is stored, and how often it was looked at."""

    def __init__(self, *rows: Row) -> None:
        self.rows = [*rows]
        self.looks = 0
        self.judged: list[tuple[str, int | None]] = []

    def pages(self) -> Iterator[Row]:
        self.looks += 1
        yield from self.rows

    def bare(self, name: str, usual: Version | None) -> Found | None:
        self.judged.append((name, usual.number if usual else None))
        return Found(name, "adapter", usual) if usual else None


def test_versions_aliases_and_texts_are_joined_by_name() -> None:
    shelf = Shelf(
        (version("b", 1), ("default",)), (version("b", 2), ("prod", "beta")), (version("c", 4), ())
    )
    listing = Listing(shelf.pages, texts=["a", "b"], bare=shelf.bare)
    a, b, c = listing.all()
    assert (a.id, a.found, a.versions, a.aliases) == ("a", None, (), ())
    assert b.versions == (1, 2)
    assert b.aliases == (("beta", 2), ("default", 1), ("prod", 2))
    assert b.found is not None
    assert (c.id, c.found) == ("c", None)  # no default: it cannot be asked for bare
    assert shelf.judged == [("a", None), ("b", 1), ("c", None)]


def test_one_look_serves_many_until_something_changed() -> None:
    shelf = Shelf((version("b", 1), ("default",)))
    listing = Listing(shelf.pages, texts=(), bare=shelf.bare)
    for _ in range(3):
        listing.all()
    assert shelf.looks == 1
    shelf.rows.append((version("b", 2), ()))
    listing.forget()
    assert listing.all()[0].versions == (1, 2)
    assert shelf.looks == 2
