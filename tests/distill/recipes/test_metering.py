"""What teaches is counted before it is asked, and settings shrink to a budget."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from skillweave.adapters import Store
from skillweave.distill.evaluation import Answer, Budget, BudgetExceeded
from skillweave.distill.policy import Sampling
from skillweave.distill.recipes.metering import Metered
from skillweave.distill.recipes.run import RecipeContext
from skillweave.distill.recipes.s2l import RECIPE, S2L, fit
from skillweave.distill.serving import Served, ServePlan
from skillweave.distill.teachers import Judgement, ProgrammaticSource
from skillweave.distill.teachers.string_world import CRAFTS
from skillweave.distill.worlds.types import Message


def no_server(plan: ServePlan) -> AbstractContextManager[Served]:
    raise AssertionError("nothing is served here")


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


def test_the_teacher_of_a_run_spends_its_budget_and_is_stopped_by_it(tmp_path: Path) -> None:
    """No recipe can forget to count: the context hands out no other teacher."""
    context = RecipeContext(
        base=tmp_path, store=Store(tmp_path / "store"), work=tmp_path, seed=0, launch=no_server,
        budget=Budget({"teacher_calls": 2}),
    )  # fmt: skip
    teacher = context.teacher(ProgrammaticSource(CRAFTS, label="string_skills"))

    async def judged(seed: int) -> Judgement:
        told = {"request": "reverse: a b", "answer": "final: b a", "truth": "b a"}
        return await teacher.ask("judge", told, schema=Judgement, seed=seed)

    for seed in range(2):
        asyncio.run(judged(seed))
    assert context.budget.spent["teacher_calls"] == 2
    assert context.budget.spent["tokens"] == teacher.counts.prompt_tokens + (
        teacher.counts.completion_tokens
    )
    assert context.budget.spent["tokens"] > 0
    with pytest.raises(BudgetExceeded, match="teacher_calls: 2 of 2 spent, 1 more for role judge"):
        asyncio.run(judged(2))
