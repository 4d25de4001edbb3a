"""From groups to the rows of one update: every learned token with its advantage and its sampler.

Owns the join of rows, credit, gates and targets. Refuses to own losses (`update.py`) and estimators
(`terms.py`). Prompt tokens are never learned (`rollouts/learnable.py`), and of what stands on them
nothing is kept: a batch's tensors hold learned tokens alone. Shapes: `B` rows, `T` learned tokens
of a row, padded.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ...adapters.errors import UsageError
from ..rendering import TokenRow
from ..rollouts.learnable import RolloutRow, rows_of
from ..rollouts.trajectory import Trajectory
from .credit import Credit, credit_of
from .groups import Group, Rollout
from .learned import Learned
from .seams import AdvantageTerm, LossGate, RowLoss, UpdateTarget

NAN = math.nan


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One unbroken sequence; every tuple has an entry a token.

    Args:
        learn: True where a token is learned; never on prompt text, nor on the first token, which
            nothing predicts.
        sampler_logp: what the engine said when it drew the token; NaN where it did not draw it.
        versions: the policy's that drew the token; empty where none did.
        advantages: the sum of all terms.
        loss: how much of each loss the row gets.
    """

    tokens: TokenRow
    sampler_logp: tuple[float, ...]
    versions: tuple[str, ...]
    advantages: tuple[float, ...]
    loss: RowLoss = RowLoss()  # noqa: RUF009 (frozen)

    @property
    def learned(self) -> tuple[int, ...]:
        """Places of the learned tokens."""
        return tuple(at for at, one in enumerate(self.tokens.learn) if one)


@dataclass(frozen=True)
class Batch:
    """What one learner learns from in one update.

    Args:
        rows: each with at least one learned token.
        terms: mean |credit| a learned token of each term, by its name.
    """

    rows: tuple[BatchRow, ...]
    terms: Mapping[str, float]

    @property
    def token_rows(self) -> list[TokenRow]:
        """What `JointLora` takes."""
        return [row.tokens for row in self.rows]

    @property
    def num_tokens(self) -> int:
        """Learned tokens."""
        return sum(len(row.learned) for row in self.rows)

    @property
    def tokens_by_version(self) -> dict[str, int]:
        """How many learned tokens each version drew."""
        return dict(
            Counter(row.versions[at] for row in self.rows for at in row.learned if row.versions[at])
        )

    @property
    def tells(self) -> bool:
        """Whether any token is moved by more than a distance to the base."""
        return any(
            row.loss.sft or (row.loss.policy and any(row.advantages[at] for at in row.learned))
            for row in self.rows
        )

    def part(self, start: int, stop: int) -> "Batch":
        """Some of the rows."""
        return Batch(self.rows[start:stop], self.terms)

    def learned(self, *, like: Tensor) -> Learned:
        """As tensors, of the dtype and on the device of `like`."""

        def padded(rows: Sequence[Sequence[float]]) -> Tensor:
            made = [torch.tensor(row, dtype=like.dtype) for row in rows]
            return pad_sequence(made, batch_first=True).to(like.device)

        def of(rows: Sequence[float]) -> Tensor:
            return torch.tensor(rows, dtype=like.dtype, device=like.device)

        places = [row.learned for row in self.rows]
        paired = list(zip(self.rows, places, strict=True))
        return Learned(
            mask_BT=padded([[1.0] * len(at) for at in places]),
            sampler_BT=padded([[row.sampler_logp[t] for t in at] for row, at in paired]),
            advantages_BT=padded([[row.advantages[t] for t in at] for row, at in paired]),
            policy_B=of([row.loss.policy for row in self.rows]),
            sft_B=of([row.loss.sft for row in self.rows]),
        )


def batches_of(
    groups: Sequence[Group],
    terms: Sequence[AdvantageTerm],
    *,
    gate: LossGate,
    target: UpdateTarget,
    learners: Sequence[str],
) -> list[Batch]:
    """The batch of each learner, in the order of their names; without rows where it got none.

    A trajectory whose turns begin a sequence anew gives several rows, each of which counts as a
    row where losses are averaged by row.

    Raises:
        UsageError: a target that is no learner, two terms of one name, a term that does not give a
            credit to every rollout, credit that is no finite number on a learned token, or a drawn
            token without a finite log-probability.
    """
    names = [term.name for term in terms]
    if len(set(names)) < len(names):
        raise UsageError(f"advantage terms {names}: expected distinct names, each is logged apart")
    rows: dict[str, list[BatchRow]] = {name: [] for name in learners}
    sums = {name: dict.fromkeys(names, 0.0) for name in learners}
    for group in groups:
        credits = [_credits(term, group) for term in terms]
        for at, rollout in enumerate(group.rollouts):
            learner = target(group, rollout)
            if learner is None:
                continue
            if learner not in rows:
                raise UsageError(f"target {learner!r}: expected one of {list(learners)} or None")
            own = {name: one[at] for name, one in zip(names, credits, strict=True)}
            for row, parts in _rows(rollout, own, gate(group, rollout)):
                rows[learner].append(row)
                for name, values in parts.items():
                    sums[learner][name] += sum(abs(values[t]) for t in row.learned)
    return [_batch(rows[name], sums[name]) for name in learners]


def _batch(rows: Sequence[BatchRow], sums: Mapping[str, float]) -> Batch:
    count = max(sum(len(row.learned) for row in rows), 1)
    return Batch(tuple(rows), {name: total / count for name, total in sums.items()})


def _credits(term: AdvantageTerm, group: Group) -> Sequence[Credit]:
    found = term(group)
    if len(found) != len(group.rollouts):
        raise UsageError(
            f"term {term.name!r} gave {len(found)} credits for {len(group.rollouts)} rollouts of "
            f"{group.task_id}: expected one for each"
        )
    return found


def _rows(
    rollout: Rollout, credits: Mapping[str, Credit], loss: RowLoss
) -> list[tuple[BatchRow, dict[str, tuple[float, ...]]]]:
    """Rows that learn something, each with the credit of every term by token."""
    found = []
    rows = rows_of(rollout.trajectory, rollout.rule)
    for number, row in enumerate(rows):
        learn = (False, *row.learn[1:])
        if not any(learn):
            continue
        parts = {name: credit_of(credit, rows, number) for name, credit in credits.items()}
        total = tuple(sum(values) for values in zip(*parts.values(), strict=True))
        made = BatchRow(
            tokens=TokenRow(row.ids, learn),
            sampler_logp=_sampler_logp(row, rollout.trajectory),
            versions=_versions(row, rollout.trajectory),
            advantages=total or (0.0,) * len(row.ids),
            loss=loss,
        )
        _check(made, rollout.trajectory)
        found.append((made, parts))
    return found


def _sampler_logp(row: RolloutRow, trajectory: Trajectory) -> tuple[float, ...]:
    drawn = [one == "policy" for one in row.provenance]
    told = tuple(
        one if own and one is not None else NAN
        for own, one in zip(drawn, row.logprobs, strict=True)
    )
    lacking = [at for at, own in enumerate(drawn) if own and not math.isfinite(told[at])]
    if lacking:
        at = lacking[0]
        raise UsageError(
            f"{trajectory.task_id}: token {at} was drawn with log-probability {row.logprobs[at]}; "
            "expected a finite number for every drawn token, play with a policy that tells them"
        )
    return told


def _versions(row: RolloutRow, trajectory: Trajectory) -> tuple[str, ...]:
    return tuple(
        trajectory.turns[turn].policy_version if one == "policy" else ""
        for one, turn in zip(row.provenance, row.turns, strict=True)
    )


def _check(row: BatchRow, trajectory: Trajectory) -> None:
    strange = [row.advantages[at] for at in row.learned if not math.isfinite(row.advantages[at])]
    if strange:
        raise UsageError(
            f"{trajectory.task_id}: an advantage of {strange[0]}, expected a finite number"
        )
