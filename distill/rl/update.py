"""One optimiser step of one learner or several, from batches to metrics.

Owns the order: log-probabilities of the trainer, importance weights against the sampler, policy
loss, imitation, KL to the base with every adapter off, gradients, step. Refuses to own the formulas
(`learning/losses.py`), the model (`learning/joint`) and what a method is (`settings.py`). Shapes:
`B` rows, `T` learned tokens of a row, `K` learned tokens of a learner in order of rows and places.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...adapters.errors import TrainingDiverged, UsageError
from ..learning.joint import JointLora
from ..learning.losses import kl
from .batch import Batch
from .learned import Learned
from .mismatch import Mismatch, mismatch_of
from .objective import Objective, clipped, losses_of


@dataclass(frozen=True, slots=True)
class UpdateMetrics:
    """Of one learner in one update, before its step.

    Args:
        loss: what the gradient is of; `policy_loss`, `sft_loss` and `kl_loss` are its summands,
            the last with its coefficient.
        kl: mean k3 a learned token, policy against base, in nats; None where it has no
            coefficient, and the base was not asked.
        entropy: minus the mean log-probability of the tokens that the policy drew, in nats: an
            unbiased estimate of its entropy where it drew them itself at temperature 1.
        clip_share: learned tokens whose ratio is clipped.
        grad_norm: before clipping.
        moved: whether it took the step; not where every advantage is 0 and neither imitation nor a
            distance to the base asks for one.
        terms: mean |credit| a learned token, by term.
    """

    learner: str
    loss: float
    policy_loss: float
    sft_loss: float
    kl_loss: float
    kl: float | None
    entropy: float
    clip_share: float
    mismatch: Mismatch
    grad_norm: float
    rate: float
    num_rows: int
    num_tokens: int
    moved: bool
    terms: dict[str, float]


def trainer_logps(joint: JointLora, batches: Sequence[Batch]) -> list[Tensor | None]:
    """Log-probabilities of each learner's learned tokens now, `(K,)`, without gradient: what
    several steps on the same trajectories are compared with."""
    if not any(batch.rows for batch in batches):
        return [None] * len(batches)
    with torch.no_grad():
        return joint.logps([batch.token_rows for batch in batches])


def update(
    joint: JointLora,
    batches: Sequence[Batch],
    objectives: Sequence[Objective],
    *,
    old: Sequence[Tensor | None] | None = None,
    micro_rows: int | None = None,
) -> tuple[UpdateMetrics | None, ...]:
    """One step for every learner that got rows; the others stay as they are.

    A learner without a signal (`UpdateMetrics.moved`) keeps weights and optimiser state, so that
    momentum alone moves nothing. The count of steps, and with it a schedule of rates, goes on.

    Args:
        batches, objectives: one a learner, in the order of the joint run's specs.
        old: what `trainer_logps` gave before the first of several steps on these batches; None
            where this is the first, and the ratio of the loss is 1.
        micro_rows: rows of a learner computed at once; None all. The gradient is that of the whole.

    Raises:
        UsageError: not one batch and one objective a learner.
        TrainingDiverged: a loss or a gradient that is no finite number; nothing has moved.
    """
    if not len(batches) == len(objectives) == len(joint.specs):
        raise UsageError(
            f"{len(batches)} batches and {len(objectives)} objectives for {len(joint.specs)} "
            "learners: expected one of each a learner"
        )
    tallies = [_Tally(*pair) for pair in zip(batches, objectives, strict=True)]
    joint.zero_grad()
    most = max(len(batch.rows) for batch in batches)
    for start in range(0, most, micro_rows or max(most, 1)):
        stop = start + (micro_rows or most)
        _add_gradients(joint, tallies, slice(start, stop), old)
    names = [spec.name for spec in joint.specs]
    for name, tally in zip(names, tallies, strict=True):
        tally.check(name)
    rates = [spec.rate_at(joint.num_steps) for spec in joint.specs]
    moved = [tally.moves for tally in tallies]
    norms = joint.gradient_norms()
    if not all(map(math.isfinite, norms)):
        raise TrainingDiverged(f"gradient norms {dict(zip(names, norms, strict=True))}: expected "
                               "finite numbers; lower the rate or look at the rewards")  # fmt: skip
    joint.apply(moved)
    return tuple(
        tally.metrics(name, norm, rate) if tally.batch.rows else None
        for tally, name, norm, rate in zip(tallies, names, norms, rates, strict=True)
    )


def updates(
    joint: JointLora,
    batches: Sequence[Batch],
    objectives: Sequence[Objective],
    *,
    inner_steps: int = 1,
    micro_rows: int | None = None,
) -> list[tuple[UpdateMetrics | None, ...]]:
    """Several steps on the same trajectories, each compared with the policy before the first.

    The words are those of `update`; one step is `update` itself.
    """
    old = trainer_logps(joint, batches) if inner_steps > 1 else None
    return [
        update(joint, batches, objectives, old=old, micro_rows=micro_rows)
        for _ in range(inner_steps)
    ]


def _add_gradients(
    joint: JointLora,
    tallies: Sequence["_Tally"],
    rows: slice,
    old: Sequence[Tensor | None] | None,
) -> None:
    """Add the gradients of some rows of every learner."""
    parts = [tally.batch.part(rows.start, rows.stop) for tally in tallies]
    token_rows = [part.token_rows for part in parts]
    with_base = [
        found if tally.objective.method.kl else []
        for tally, found in zip(tallies, token_rows, strict=True)
    ]
    base = joint.base_logps(with_base) if any(with_base) else [None] * len(parts)

    def loss(learner: int, logp_K: Tensor) -> Tensor:
        tally, part = tallies[learner], parts[learner]
        olds = old[learner] if old is not None else None
        if olds is not None:
            before = tally.batch.part(0, rows.start).num_tokens
            olds = olds[before : before + len(logp_K)]
        return tally.loss(part, logp_K, olds, base[learner])

    joint.backward(token_rows, loss=loss)


class _Tally:
    """One learner's losses and figures, added up over parts of its batch."""

    def __init__(self, batch: Batch, objective: Objective) -> None:
        self.batch, self.objective = batch, objective
        self._sums = dict.fromkeys(("policy", "sft", "kl", "k3", "logp", "drawn", "clipped"), 0.0)
        self._seen: list[tuple[Tensor, Tensor]] = []

    @property
    def moves(self) -> bool:
        """Whether anything asks for a step."""
        return bool(self.batch.rows) and (self.batch.tells or self.objective.method.kl > 0)

    def loss(
        self, part: Batch, logp_K: Tensor, old_K: Tensor | None, base_K: Tensor | None
    ) -> Tensor:
        """The part's share of the batch's loss."""
        found = part.learned(like=logp_K)
        logp_BT = found.spread(logp_K)
        old_BT = logp_BT.detach() if old_K is None else found.spread(old_K)
        base_BT = None if base_K is None else found.spread(base_K)
        losses = losses_of(found, logp_BT, old_BT, base_BT, self.objective)
        share = self._share(part)
        self._note(found, logp_BT.detach(), old_BT, base_BT)
        for name, value in zip(("policy", "sft", "kl"), losses, strict=True):
            self._sums[name] += share * float(value.detach())
        return share * (losses[0] + losses[1] + losses[2])

    def _share(self, part: Batch) -> float:
        """What the mean over a part counts in the mean over the batch."""
        if self.objective.method.aggregation == "token":
            return part.num_tokens / self.batch.num_tokens
        return len(part.rows) / len(self.batch.rows)

    def _note(
        self, found: Learned, logp_BT: Tensor, old_BT: Tensor, base_BT: Tensor | None
    ) -> None:
        drawn = (found.mask_BT > 0) & ~found.sampler_BT.isnan()
        self._sums["logp"] += float(logp_BT[drawn].sum())
        self._sums["drawn"] += int(drawn.sum())
        self._sums["clipped"] += int(clipped(found, logp_BT, old_BT, self.objective.method).sum())
        if base_BT is not None:
            self._sums["k3"] += float((kl(logp_BT, base_BT, found.mask_BT) * found.mask_BT).sum())
        learned = found.mask_BT > 0
        self._seen.append((old_BT[learned], found.sampler_BT[learned]))

    def check(self, learner: str) -> None:
        """Refuse a loss that is no finite number."""
        parts = {name: self._sums[name] for name in ("policy", "sft", "kl")}
        if not all(map(math.isfinite, parts.values())):
            raise TrainingDiverged(
                f"learner {learner!r} has losses {parts}: expected finite numbers; lower the rate, "
                "or look whether the base and the engine are of one kind"
            )

    def metrics(self, learner: str, grad_norm: float, rate: float) -> UpdateMetrics:
        """Of the whole batch."""
        sums, num = self._sums, self.batch.num_tokens
        trainer, sampler = (torch.cat(one)[None] for one in zip(*self._seen, strict=True))
        return UpdateMetrics(
            learner=learner,
            loss=sums["policy"] + sums["sft"] + sums["kl"],
            policy_loss=sums["policy"],
            sft_loss=sums["sft"],
            kl_loss=sums["kl"],
            kl=sums["k3"] / num if self.objective.method.kl else None,
            entropy=-sums["logp"] / max(sums["drawn"], 1),
            clip_share=sums["clipped"] / num,
            mismatch=mismatch_of(
                trainer, sampler, torch.ones_like(trainer), cap=self.objective.tis_cap
            ),
            grad_norm=grad_norm,
            rate=rate,
            num_rows=len(self.batch.rows),
            num_tokens=num,
            moved=self.moves,
            terms=dict(self.batch.terms),
        )
