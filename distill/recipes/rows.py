"""Rows that a recipe chooses to train on, measured in tokens. Pure but for what is counted.

Owns the choice by length. Where rows come from is the recipe's matter, or `course.expert_rows`.
"""

from collections.abc import Iterable

from ...adapters import UsageError
from ..demonstrations import Demonstration
from ..evaluation import Budget, BudgetExceeded
from ..rendering import token_row
from ..workbench import Workbench


def rows_of_tokens(
    rows: Iterable[Demonstration], *, num_tokens: int, bench: Workbench, budget: Budget
) -> list[Demonstration]:
    """Rows from the front, as many as hold at most so many tokens, prompts included.

    So arms learn from equally much, however long their rows are: they differ by less than a row.
    A generator is drawn no further than needed. The tokens count as spent.

    Raises:
        UsageError: the rows end before.
        BudgetExceeded: so many tokens may not be spent.
    """
    budget.spend("tokens", num_tokens, on="rows to train on")
    out: list[Demonstration] = []
    left = num_tokens
    for row in rows:
        left -= len(token_row(bench.tokenizer, row.conversation(), bench.frame).ids)
        if left < 0:
            return out
        out.append(row)
    raise UsageError(
        f"{len(out)} rows hold {num_tokens - left} tokens, expected more than {num_tokens}; give "
        "more rows"
    )


def tokens_within(num_tokens: int, budget: Budget, *, num_arms: int, fewest: int) -> int:
    """Tokens of each of so many arms: as many as wanted, or as a budget of tokens allows.

    Raises:
        BudgetExceeded: fewer than `fewest` would be left.
    """
    limit = budget.limits.get("tokens")
    if limit is None:
        return num_tokens
    if limit < num_arms * fewest:
        raise BudgetExceeded(
            f"{limit} tokens are too few for {num_arms} arms: expected at least "
            f"{num_arms * fewest}; raise the budget"
        )
    return min(num_tokens, limit // num_arms)
