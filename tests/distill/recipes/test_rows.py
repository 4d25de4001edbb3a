"""Rows by tokens: as many as fit, none drawn in vain, every token counted as spent."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from skillweave.adapters.errors import UsageError
from skillweave.adapters.store.store import Store
from skillweave.distill.demonstrations import Demonstration
from skillweave.distill.evaluation import Budget, BudgetExceeded
from skillweave.distill.recipes.rows import rows_of_tokens
from skillweave.distill.rendering import token_row
from skillweave.distill.workbench import Workbench


@pytest.fixture
def bench(small_base_dir: Path, tmp_path: Path) -> Workbench:
    return Workbench(small_base_dir, Store(tmp_path / "store"))


def row(words: int) -> Demonstration:
    return Demonstration(f"{words}", ({"role": "user", "content": "for the picnic"},), "b " * words)


def size(bench: Workbench, words: int) -> int:
    return len(token_row(bench.tokenizer, row(words).conversation(), bench.frame).ids)


def test_rows_fill_the_tokens_and_stop_before_the_one_that_is_too_long(bench: Workbench) -> None:
    one, two, three = (size(bench, words) for words in (1, 2, 3))
    assert one < two < three
    budget = Budget({"tokens": one + two + three})
    rows = [row(1), row(2), row(3)]
    found = rows_of_tokens(rows, num_tokens=one + two + three - 1, bench=bench, budget=budget)
    assert found == rows[:2]
    assert budget.spent["tokens"] == one + two + three - 1
    with pytest.raises(BudgetExceeded, match="rows to train on"):
        rows_of_tokens(rows, num_tokens=2, bench=bench, budget=budget)


def test_a_generator_is_drawn_no_further_than_needed(bench: Workbench) -> None:
    drawn: list[int] = []

    def endless() -> Iterator[Demonstration]:
        for number in itertools.count(1):
            drawn.append(number)
            yield row(1)

    found = rows_of_tokens(
        endless(), num_tokens=5 * size(bench, 1), bench=bench, budget=Budget()
    )  # fmt: skip
    assert (len(found), drawn[-1]) == (5, 6)


def test_rows_that_end_before_are_refused(bench: Workbench) -> None:
    with pytest.raises(UsageError, match=f"1 rows hold {size(bench, 1)} tokens, expected more"):
        rows_of_tokens([row(1)], num_tokens=500, bench=bench, budget=Budget())
