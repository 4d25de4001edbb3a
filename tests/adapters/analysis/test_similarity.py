"""Cosines and the order that puts like beside like, by hand."""

import numpy as np
import pytest
import torch
from skillweave.adapters.analysis.similarity import clustered_order, similarity_map


def test_cosines_and_norms_are_those_of_the_vectors() -> None:
    vectors = torch.tensor([[3.0, 4.0], [4.0, -3.0], [6.0, 8.0]], dtype=torch.float64)
    found = similarity_map(["a", "b", "c"], vectors @ vectors.T)
    assert found.refs == ("a", "c", "b")  # a and c point the same way
    assert found.cosines == ((1.0, 1.0, 0.0), (1.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    assert found.norms == (5.0, 10.0, 5.0)
    assert found.nearest("b") == [("a", 0.0), ("c", 0.0)]


def test_an_update_that_is_zero_is_like_nothing_else() -> None:
    found = similarity_map(["a", "zero"], torch.tensor([[4.0, 0.0], [0.0, 0.0]]))
    assert found.cosines == ((1.0, 0.0), (0.0, 1.0))


def test_average_linkage_joins_the_mean_nearest() -> None:
    # On a line: 0 at 0, 1 at 10, 2 at 1, 3 at 11.5; pairs (0, 2) and (1, 3), then both together.
    places = np.array([0.0, 10.0, 1.0, 11.5])
    assert clustered_order(np.abs(places[:, None] - places[None])) == [0, 2, 1, 3]


def test_the_order_does_not_depend_on_how_the_store_lists() -> None:
    places = np.array([0.0, 10.0, 1.0, 11.5, 30.0])
    names = "abcde"
    shuffled = np.array([3, 0, 4, 2, 1])
    distances = np.abs(places[:, None] - places[None])
    order = [names[i] for i in clustered_order(distances)]
    again = [names[shuffled[i]] for i in clustered_order(distances[np.ix_(shuffled, shuffled)])]
    groups = [frozenset(order[:2]), frozenset(order[2:4])]
    assert {frozenset(again[i : i + 2]) for i in (0, 1, 2, 3)} >= set(groups)


@pytest.mark.parametrize(("refs", "size"), [([], 0), (["a"], 2)])
def test_names_and_numbers_that_do_not_fit_are_refused(refs: list[str], size: int) -> None:
    with pytest.raises(ValueError, match="expected N and"):
        similarity_map(refs, torch.ones(size, size))
