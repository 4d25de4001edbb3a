"""From trajectories to training rows: which tokens a method may learn from. Pure.

Owns the rule and the row. Prompt text is learned by no rule: a rule that names it cannot be made.
To add a method's rule: a `LearnRule` with the provenances that get gradient.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from .trajectory import PROVENANCES, Provenance, Trajectory, Turn


@dataclass(frozen=True)
class LearnRule:
    """The provenances whose tokens get gradient.

    Raises:
        ValueError: none, an unknown one, or the prompt's.
    """

    learned: frozenset[Provenance]

    def __post_init__(self) -> None:
        if "prompt" in self.learned:
            raise ValueError("a rule that learns prompt text: expected what stands in the answer")
        if not self.learned or not self.learned <= set(PROVENANCES):
            raise ValueError(
                f"a rule that learns {sorted(self.learned)}: expected at least one of "
                f"{', '.join(PROVENANCES[1:])}"
            )


ON_POLICY = LearnRule(frozenset({"policy"}))
"""What the policy drew itself, as in plain policy gradient."""
OFF_POLICY = LearnRule(frozenset({"policy", "demo_prefix", "hint", "expert"}))
"""That, and what somebody who knows better wrote in its place; naive text is never imitated."""


@dataclass(frozen=True, slots=True)
class RolloutRow:
    """One unbroken sequence of `T` tokens; every field has `T` entries.

    `ids` and `learn` are what `rendering.TokenRow` holds, so that SFT reads a row as it is.
    `logprobs` is None for tokens that the policy did not draw; `turns` is the number of the turn
    in the trajectory, for rewards by turn and for the version that drew it.
    """

    ids: tuple[int, ...]
    learn: tuple[bool, ...]
    logprobs: tuple[float | None, ...]
    provenance: tuple[Provenance, ...]
    turns: tuple[int, ...]


def rows_of(trajectory: Trajectory, rule: LearnRule = ON_POLICY) -> tuple[RolloutRow, ...]:
    """The trajectory as training rows: one, but for turns that begin a sequence anew.

    Raises:
        ValueError: a turn holds no token ids, because the policy that played knows none.
    """
    rows: list[RolloutRow] = []
    for chunk in _unbroken(trajectory.turns):
        tokens = [token for number, turn in chunk for token in _tokens(number, turn, trajectory)]
        ids, provenance, logprobs, turns = zip(*tokens, strict=True)
        learn = tuple(one in rule.learned for one in provenance)
        rows.append(RolloutRow(ids, learn, logprobs, provenance, turns))
    return tuple(rows)


def _unbroken(turns: tuple[Turn, ...]) -> Iterator[list[tuple[int, Turn]]]:
    chunk: list[tuple[int, Turn]] = []
    for number, turn in enumerate(turns):
        if chunk and not turn.continues:
            yield chunk
            chunk = []
        chunk.append((number, turn))
    if chunk:
        yield chunk


def _tokens(
    number: int, turn: Turn, trajectory: Trajectory
) -> Iterator[tuple[int, Provenance, float | None, int]]:
    if not turn.ids:
        raise ValueError(
            f"turn {number} of {trajectory.task_id} holds no token ids; play it with a policy that "
            "takes and gives them"
        )
    for span in turn.spans:
        logprobs = span.logprobs or (None,) * len(span.ids)
        for one, logprob in zip(span.ids, logprobs, strict=True):
            yield one, span.provenance, logprob, number
