"""Asking an arm for whole episodes: an `Ask` for worlds of several turns.

Owns the way from a trajectory to an answer: what the policy did, one action a line, which the task
verifies as a plan. Worlds of one turn are asked by `skill_arms.AskServed`, which is quicker.
"""

from ..evaluation import Answer, Arm, EvaluationError, Item, Sampled, skill_of
from ..rollouts.play import Route, play
from ..rollouts.policy import TokenPolicy
from ..rollouts.sampling import Sampling
from ..rollouts.seeds import derived_seed
from ..worlds.types import Task


class AskPlayed:
    """Plays one item under one arm; satisfies `evaluation.Ask`.

    Args:
        policy: plays; `route="messages"` for skill texts and the router of a server.
        seed: of every draw, together with the item's id and its sample.
    """

    def __init__(
        self,
        policy: TokenPolicy,
        sampling: Sampling,
        *,
        seed: int = 0,
        route: Route = "messages",
        max_turns: int = 100,
    ) -> None:
        self._policy = policy
        self._sampling = sampling
        self._seed = seed
        self._route: Route = route
        self._max_turns = max_turns

    @property
    def fingerprint(self) -> str:
        """What decides its answers beside the arm, the item and the sampling; see `Ask`."""
        return f"{self._route} {self._seed} {self._max_turns}"

    async def __call__(self, arm: Arm, item: Item, /) -> Answer:
        """Play it.

        Raises:
            EvaluationError: the item is no task of a world, the episode failed, or its plan does
                not replay to the end that was reached: the evaluator records it as failed.
        """
        task = item.item if isinstance(item, Sampled) else item
        if not isinstance(task, Task):
            raise EvaluationError(f"item {item.id!r} is no task of a world and cannot be played")
        cluster = skill_of(item)
        number = item.number if isinstance(item, Sampled) else 0
        seen = await play(
            self._policy, task, model=arm.model_for(cluster), sampling=self._sampling,
            system=arm.system_for(cluster), route=self._route,
            seed=derived_seed(self._seed, item.id),
            sample=number, max_turns=self._max_turns,
        )  # fmt: skip
        if seen.error:
            raise EvaluationError(f"the episode ended early: {seen.error}")
        if item.verify(seen.text).passed != seen.verdict.passed:
            raise EvaluationError(
                f"item {item.id!r}: played it was {seen.verdict.reason!r}, and its actions replay "
                "to another end; an action of several lines is read as several"
            )
        return Answer(seen.text, seen.tokens_in, seen.tokens_out, wall_s=seen.wall_s)
