"""OPID: what a finished trajectory teaches about itself, as texts and as a term by token. Pure.

An analyst reads a trajectory and writes one skill for all of it (the workflow of a success, the
rule that would have avoided a failure) and a few for critical turns. Inserted into what the policy
saw at turn t, the text that `routed` names re-scores the SAME tokens under the OLD policy:

    Delta_{t,l} = log pi_old(y_l | with the text, y_<l) - log pi_old(y_l | without, y_<l)
    A_{t,l}     = A_ep + w_episode Delta^episode_{t,l} + w_step Delta^step_{t,l}

Delta is a number, never differentiated, and 0 where there is no text. `critical-first` uses a
turn's own skill where there is one and the episode's elsewhere; `additive` uses both.

Source: OPID, arXiv:2606.26790 and its repository; w = 1e-3 was tuned on much larger models
than ours, so a recipe sweeps it. Departs: the texts are bounded in length (`MAX_TEXT`).
Owns the form of an analysis, which text belongs to which turn, and the term. Refuses to own the
analyst (`teachers/`), inserting a text and scoring (`rollouts/policy.py`), and A_ep.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ...adapters.errors import UsageError
from .drafts import derange

Mode = Literal["critical-first", "additive"]
Level = Literal["episode", "step"]
MAX_TEXT = 2000
"""Characters of one text."""
Text = Annotated[str, Field(max_length=MAX_TEXT)]


class Hindsight(BaseModel):
    """One analysis; the empty one, which teaches nothing, stands for one that could not be read."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    episode_summary: Text = ""
    episode_skill: Text = ""
    step_skills: Mapping[Annotated[int, Field(ge=0)], Text] = Field({}, max_length=5)
    """By number of the turn, from 0."""


def routed(
    hindsight: Hindsight, num_turns: int, *, mode: Mode = "critical-first"
) -> tuple[Mapping[Level, str], ...]:
    """The texts that re-score each turn; white space alone is no text.

    Skills of turns that never came are left out.
    """
    turns: list[Mapping[Level, str]] = []
    for number in range(num_turns):
        texts: dict[Level, str] = {
            "step": hindsight.step_skills.get(number, ""),
            "episode": hindsight.episode_skill,
        }
        told = {level: text for level, text in texts.items() if text.strip()}
        if mode == "critical-first" and "step" in told:
            told.pop("episode", None)
        turns.append(told)
    return tuple(turns)


def opid_term(
    without: Sequence[float],
    with_text: Mapping[Level, Sequence[float]],
    *,
    weights: Mapping[Level, float],
) -> tuple[float, ...]:
    """The summand of the advantage of one turn's tokens: the sum of w * Delta over the levels.

    Args:
        without: log-probability of each token under the old policy, in nats.
        with_text: the same with the text of a level in view; a level without a text is missing.

    Raises:
        UsageError: not as many log-probabilities, or a level without a weight.
    """
    total = [0.0] * len(without)
    for level, logps in with_text.items():
        if len(logps) != len(without) or level not in weights:
            raise UsageError(
                f"{len(logps)} log-probabilities at level {level!r}: expected {len(without)}, and "
                f"a weight among {dict(weights)}"
            )
        for place, (new, old) in enumerate(zip(logps, without, strict=True)):
            total[place] += weights[level] * (new - old)
    return tuple(total)


def shuffled_hindsights(
    analyses: Sequence[Hindsight], *, rng: np.random.Generator
) -> tuple[Hindsight, ...]:
    """Control: every trajectory gets the analysis of another one; see `drafts.derange`."""
    return tuple(analyses[place] for place in derange(len(analyses), rng=rng))


def random_term(term: Sequence[float], *, rng: np.random.Generator) -> tuple[float, ...]:
    """Control: normal numbers of the term's own mean square, so that only its meaning is gone."""
    size = (sum(one * one for one in term) / len(term)) ** 0.5 if term else 0.0
    return tuple(float(one) for one in size * rng.standard_normal(len(term)))
