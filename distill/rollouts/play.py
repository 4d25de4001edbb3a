"""Playing tasks: one-turn answers and episodes alike, and failures that are recorded.

Owns the loop between policy and environment, and its border: whatever goes wrong in an episode
becomes data in its trajectory, none is dropped and none takes another one down. What is wrong with
the whole run, a budget that is spent or an ability that the policy lacks, is no episode's failure
and is raised. Refuses to own what is learned from them and which tasks are played.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ...adapters.card import Frame
from ...adapters.errors import BudgetExceeded, MissingAbility, UsageError
from ..policy import bounded_map
from ..worlds.types import Task, Verdict
from .policy import UNFRAMED, TokenPolicy
from .prefixes import Prefix
from .sampling import Sampling
from .seeds import derived_seed
from .speaking import Speaker
from .trajectory import PolicyFingerprint, Trajectory, Turn, context_digest_of

Route = Literal["tokens", "messages"]
"""`tokens`: ids in and out, answers never tokenised again. `messages`: the policy renders whole
conversations, as skill texts and the router of a server need it."""


ForTask = Callable[[Task], str]


@dataclass(frozen=True)
class _How:
    """How one task is played; the words of `play`."""

    model: str
    sampling: Sampling
    frame: Frame
    prefix: Prefix | None
    route: Route
    deadline_s: float | None
    max_turns: int


async def play(
    policy: TokenPolicy,
    task: Task,
    *,
    model: str,
    sampling: Sampling,
    frame: Frame = UNFRAMED,
    system: str | None = None,
    prefix: Prefix | None = None,
    route: Route = "tokens",
    seed: int = 0,
    env_seed: int = 0,
    group: int = 0,
    sample: int = 0,
    deadline_s: float | None = None,
    max_turns: int = 100,
) -> Trajectory:
    """Play one task to its end, or to its failure.

    Args:
        sampling: `n` is 1, and its seed is not read: each turn draws with one derived from `seed`.
        frame: tools, template arguments and the system text.
        system: stands in for the frame's system text, as the text of a skill does.
        prefix: what is forced in the policy's place, and when; by the route `tokens` alone.
        env_seed: what the environment is reset with; the samples of a group share it.
        deadline_s: bound on the whole episode.
        max_turns: decisions after which it is given up, beside the world's own bound.

    Returns:
        The trajectory; where the policy or the world failed, with `error` and the turns before.

    Raises:
        MissingAbility: the policy cannot take the route, or has not what the model string asks for.
        BudgetExceeded: the policy is metered, and nothing is left.
        UsageError: several answers, or a prefix by the route `messages`.
    """
    _check(policy, route, sampling, prefix)
    whole = frame if system is None else frame.model_copy(update={"system": system})
    how = _How(model, sampling, whole, prefix, route, deadline_s, max_turns)
    started = time.perf_counter()
    turns: list[Turn] = []
    verdict, error = await _guarded(policy, task, how, seed, env_seed, turns)
    return Trajectory(
        task_id=task.id,
        family=task.family,
        split=task.split,
        seed=seed,
        policy=PolicyFingerprint(
            policy.base_digest,
            model,
            context_digest_of(whole.system, list(whole.tools), dict(whole.template_args)),
            sampling,
        ),
        verdict=verdict,
        turns=tuple(turns),
        error=error,
        env_seed=env_seed,
        group=group,
        sample=sample,
        wall_s=time.perf_counter() - started,
    )


async def play_all(
    policy: TokenPolicy,
    tasks: Sequence[Task],
    *,
    run: str,
    model: str | ForTask,
    sampling: Sampling,
    step: int = 0,
    samples: int = 1,
    frame: Frame = UNFRAMED,
    system: str | ForTask | None = None,
    prefix: Prefix | None = None,
    route: Route = "tokens",
    deadline_s: float | None = None,
    max_turns: int = 100,
    concurrency: int = 64,
) -> list[Trajectory]:
    """Play every task `samples` times; the words are those of `play`.

    A trajectory's seed follows from (run, step, the task's id, the sample), so it does not depend
    on which other tasks are played.

    Args:
        run: name of the run.
        model: one model string, or one for each task.
        system: one text, or one for each task.
        concurrency: episodes at once.

    Returns:
        All samples of the first task, then all of the second, and so on; `group` is the task's
        place in `tasks`.
    """
    places = [(group, sample) for group in range(len(tasks)) for sample in range(samples)]

    async def one(place: tuple[int, int]) -> Trajectory:
        group, sample = place
        task = tasks[group]
        return await play(
            policy,
            task,
            model=model(task) if callable(model) else model,
            sampling=sampling,
            frame=frame,
            system=system(task) if callable(system) else system,
            prefix=prefix,
            route=route,
            seed=derived_seed(run, step, task.id, sample),
            group=group,
            sample=sample,
            deadline_s=deadline_s,
            max_turns=max_turns,
        )

    return await bounded_map(one, places, concurrency=concurrency)


async def _guarded(
    policy: TokenPolicy, task: Task, how: _How, seed: int, env_seed: int, turns: list[Turn]
) -> tuple[Verdict, str]:
    """The verdict and an empty error, or a lost verdict and what went wrong: the one border where
    an episode's failure becomes data."""
    try:
        async with asyncio.timeout(how.deadline_s) as deadline:
            return await _episode(policy, task, how, seed, env_seed, turns), ""
    except (BudgetExceeded, MissingAbility):
        raise
    except Exception as err:
        error = f"{type(err).__name__}: {err}"
        if deadline.expired():
            error = f"DeadlinePassed: {how.deadline_s} s were over after {len(turns)} turn(s)"
        return Verdict(False, 0.0, "the episode failed"), error


async def _episode(
    policy: TokenPolicy, task: Task, how: _How, seed: int, env_seed: int, turns: list[Turn]
) -> Verdict:
    environment = task.environment()
    speaker = Speaker(
        policy=policy,
        model=how.model,
        sampling=how.sampling,
        frame=how.frame,
        seed=seed,
        renderer=policy.renderer if how.route == "tokens" else None,
        prefix=how.prefix,
    )
    observation = environment.reset(env_seed)
    while len(turns) < how.max_turns:
        expert = environment.expert() if how.prefix is not None else None
        turn = await speaker.turn(observation, expert=expert)
        step = environment.step(turn.text)
        turns.append(replace(turn, reward=step.reward, info=step.info))
        if step.terminated or step.truncated:
            break
        observation = step.observation
    return environment.verdict()


def _check(policy: TokenPolicy, route: Route, sampling: Sampling, prefix: Prefix | None) -> None:
    if sampling.n != 1:
        raise UsageError(f"sampling.n is {sampling.n}: expected 1; `play_all` takes `samples`")
    if route == "messages":
        if prefix is not None:
            raise UsageError("a prefix by the route 'messages': expected the route 'tokens'")
        return
    who = f"{type(policy).__name__} (by the route 'tokens'; 'messages' needs none)"
    policy.capabilities.require("token_ids", who=who)
    if policy.renderer is None:
        raise MissingAbility(f"{who} has no renderer: expected one by the base's chat template")
