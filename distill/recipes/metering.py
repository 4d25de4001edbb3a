"""A policy under a budget: whatever teaches or samples for learning is counted and stopped.

Owns the wrapping. Refuses to own limits (`evaluation.Budget`) and evaluation, which is not counted.
"""

from collections.abc import Sequence

from ..evaluation import Answer, Budget
from ..policy import Policy, Sampling
from ..worlds.types import Message


class Metered:
    """Passes requests on; each is one rollout, and its tokens count on both sides; a `Policy`.

    Raises:
        BudgetExceeded: before a request that is one too many, or after one whose tokens are.
    """

    def __init__(self, policy: Policy, budget: Budget) -> None:
        self._policy = policy
        self._budget = budget

    async def complete(
        self, messages: Sequence[Message], *, model: str, sampling: Sampling
    ) -> Answer:
        """Answer one conversation; see `Policy`."""
        self._budget.spend("rollouts", on="one more answer")
        answer = await self._policy.complete(messages, model=model, sampling=sampling)
        self._budget.record("tokens", answer.prompt_tokens + answer.completion_tokens)
        return answer
