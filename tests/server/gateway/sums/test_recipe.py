"""Equal sums have one spelling; by hand."""

from pathlib import Path

import pytest
from skillweave.adapters.card import Card
from skillweave.adapters.names import AdapterId
from skillweave.adapters.store.types import Version
from skillweave.server.gateway.sums.recipe import Part, rank_of_sum, recipe_of


def no_card() -> Card:
    raise AssertionError("a recipe reads no card")


def version(name: str, number: int, digest: str) -> Version:
    return Version(AdapterId.parse(name), "f", number, digest, digest, Path("/o"), "", no_card)


A1, A2, B = version("a", 1, "d1"), version("a", 2, "d2"), version("ns/b", 1, "d0")


def test_order_and_repetition_do_not_count() -> None:
    one = recipe_of([Part(A1, 0.5), Part(B, -0.25), Part(A1, 0.25)])
    other = recipe_of([Part(B, -0.25), Part(A1, 0.75)])
    assert one == other
    assert one.digest(8) == other.digest(8)
    assert one.label == "a@1*0.75+ns/b@1*-0.25"
    assert recipe_of([Part(A1, 1.0), Part(B, 0.5)]).label == "a@1+ns/b@1*0.5"
    assert one.names == "a+ns/b"


def test_weights_versions_and_rank_count() -> None:
    recipes = [[Part(A1, 0.5)], [Part(A2, 0.5)], [Part(A1, 0.25)], [Part(A1, 0.5), Part(B, 1.0)]]
    digests = {recipe_of(parts).digest(rank) for parts in recipes for rank in (None, 8, 16)}
    assert len(digests) == 12


def test_the_digest_knows_content_not_names() -> None:
    twin = version("z", 9, "d1")
    one = recipe_of([Part(A1, 0.5), Part(B, 1.0)])
    assert recipe_of([Part(B, 1.0), Part(twin, 0.5)]).digest(None) == one.digest(None)


def test_zeros_fall_away_while_anything_is_left() -> None:
    assert recipe_of([Part(A1, 0.0), Part(B, 2.0)]).label == "ns/b@1*2.0"
    assert recipe_of([Part(A1, 0.5), Part(A1, -0.5)]).label == "a@1*0.0"


@pytest.mark.parametrize(
    ("ranks", "rank"),
    [([{"q": 2}], 2), ([{"q": 2, "k": 4}, {"q": 3}], 5), ([{"q": 2}, {"k": 4}], 4)],
)
def test_the_rank_of_a_sum_is_that_of_its_worst_module(
    ranks: list[dict[str, int]], rank: int
) -> None:
    assert rank_of_sum(ranks) == rank
