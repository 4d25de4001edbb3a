"""What teaches is counted before it is asked, and settings shrink to a budget."""

import asyncio
from collections.abc import Sequence

import pytest
from skillweave.distill.evaluation import Answer, Budget, BudgetExceeded
from skillweave.distill.policy import Sampling
from skillweave.distill.recipes.metering import Metered
from skillweave.distill.recipes.s2l import RECIPE, S2L, fit
from skillweave.distill.worlds.types import Message


class Counting:
    asked = 0

    async def complete(
        self, messages: Sequence[Message], *, model: str, sampling: Sampling
    ) -> Answer:
        self.asked += 1
        return Answer("yes", 6, 4)


def ask(policy: Metered, times: int) -> None:
    async def every() -> None:
        for _ in range(times):
            await policy.complete((), model="base", sampling=Sampling())

    asyncio.run(every())


def test_the_request_that_is_one_too_many_is_never_sent() -> None:
    policy, budget = Counting(), Budget({"rollouts": 3})
    with pytest.raises(BudgetExceeded, match="rollouts: 3 of 3 spent"):
        ask(Metered(policy, budget), 4)
    assert policy.asked == 3
    assert budget.spent == {"rollouts": 3, "tokens": 30, "teacher_calls": 0}


def test_the_request_whose_tokens_are_too_many_is_the_last() -> None:
    policy = Counting()
    with pytest.raises(BudgetExceeded, match="tokens: 20 of 15"):
        ask(Metered(policy, Budget({"tokens": 15})), 4)
    assert policy.asked == 2


def test_settings_of_s2l_shrink_to_the_rollouts_and_never_grow() -> None:
    config = S2L(levels=(1, 2), num_requests=50, preflight_requests=5)
    assert fit(config, Budget({"rollouts": 80})).num_requests == 30  # 2 * (30 + 2 * 5)
    assert fit(config, Budget({"rollouts": 10_000})) == config
    assert RECIPE.settings_within(config, Budget()) is config
    with pytest.raises(BudgetExceeded, match="expected at least 36"):
        fit(config, Budget({"rollouts": 35}))
