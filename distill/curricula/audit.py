"""SLIM: keep a skill, retire it, or ask for more of its kind, by what it still gives. Pure.

Every `every` steps, with the policy frozen, the most-used skills are measured: u is the mean reward
on the tasks that use a skill, with the bank as it is, minus that without this skill
(`bank/utility.py`). The bank keeps the moving average ubar, the streak of low audits and the bucket
of failed tasks (`bank/state.py`, by its `StatsRule`); here is only what follows from them:

    retire  ubar < low, for at least `min_streak` audits in a row, and `min_uses` uses
    expand  success < expand_below, a bucket of at least `min_failures`, ubar < keep,
            and no other active skill of that kind with ubar >= keep
    keep    otherwise

Expanding asks an author for at most `most_new` skills from the bucket, which then keeps its later
half (`Observation.halve_failures`).

Source: SLIM, arXiv:2605.10923; the numbers are its ALFWorld settings, the interval the paper's.
Departs: ubar begins with the first u (see `bank/state.py`). What the sources leave open is ours: a
skill that is retired is not expanded in the same audit; of several skills of a kind that call for
expansion only the one with the fullest bucket gets it. Every skill may leave.
Owns the decisions. Refuses to own measuring, routing and authoring, and the bank's operations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ...adapters.errors import UsageError
from ..bank.state import BankState, SkillStats
from ..bank.types import Observation
from ..bank.utility import PairedResults

Action = Literal["keep", "retire", "expand"]


class AuditRule(BaseModel):
    """The numbers of an audit; what counts as low is the bank's own `StatsRule.low`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    every: int = Field(10, ge=1)
    """Steps from one audit to the next."""
    most_audited: int = Field(4, ge=1)
    min_streak: int = Field(3, ge=1)
    min_uses: int = Field(30, ge=0)
    keep: float = 0.03
    """A moving average from here on is clearly useful."""
    expand_below: float = 0.4
    """Mean reward under which a kind of task needs another skill."""
    min_failures: int = Field(20, ge=1)
    most_new: int = Field(2, ge=1)
    """New skills that an author may write from one bucket."""

    def due(self, step: int) -> bool:
        """Whether an audit follows this step: the last of each row of `every`."""
        return (step + 1) % self.every == 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one audited skill; `failures` is the bucket that an author works from."""

    skill: str
    action: Action
    reason: str
    failures: tuple[str, ...] = ()


def most_used(
    uses: Mapping[str, int], rule: AuditRule, *, general: str | None = None
) -> tuple[str, ...]:
    """Which skills an audit measures: the most used since the last one, and the general one.

    Args:
        uses: by name; a skill without a use has no tasks to be measured on and is left out.
    """
    ranked = sorted((n for n in uses if uses[n] > 0 and n != general), key=lambda n: (-uses[n], n))
    tail = (general,) if general is not None and uses.get(general, 0) > 0 else ()
    return (*ranked[: rule.most_audited], *tail)


def observation_of(
    results: PairedResults, *, uses: int = 0, failures: tuple[str, ...] = ()
) -> Observation:
    """What the bank is told of one measured skill.

    Args:
        results: the candidate is the bank as it is, the reference the bank without the skill.
        uses: since the bank was last told.
        failures: ids of the tasks that it was used on and that failed, since then.
    """
    return Observation(uses=uses, utility=results.delta, failures=failures)


def audit(
    state: BankState,
    success: Mapping[str, float],
    *,
    kinds: Mapping[str, str],
    rule: AuditRule | None = None,
) -> tuple[Decision, ...]:
    """One decision for each audited skill, in the order of `success`.

    Args:
        state: of the bank, after it was told the observations of this audit.
        success: mean reward of the tasks that used the skill, with the bank as it is
            (`PairedResults.candidate_mean`), for every skill that was audited.
        kinds: the kind of task that each active skill is for.

    Raises:
        UsageError: an audited skill is not active or was never measured, or an active one has no
            kind.
    """
    rule = rule or AuditRule()
    stats = {name: state.stats.get(at, SkillStats()) for name, at in state.heads.items()}
    _check(stats, success, kinds)
    retired = {name for name in success if _retires(stats[name], rule, state.rule.low)}
    expanded: dict[str, str] = {}
    for name in sorted(success.keys() - retired, key=lambda n: (-len(stats[n].failures), n)):
        peers = [stats[o].utility for o in stats.keys() - retired if kinds[o] == kinds[name]]
        served = any(utility is not None and utility >= rule.keep for utility in peers)
        if not served and _falls_short(stats[name], success[name], rule):
            expanded.setdefault(kinds[name], name)
    return tuple(
        _decision(name, stats[name], success[name], name in retired, name in expanded.values())
        for name in success
    )


def _check(
    stats: Mapping[str, SkillStats], success: Mapping[str, float], kinds: Mapping[str, str]
) -> None:
    for name in success:
        if name not in stats or stats[name].utility is None:
            raise UsageError(
                f"{name!r} is {'unmeasured' if name in stats else 'not active'}: expected an "
                "active skill whose utility the bank was told"
            )
    if homeless := sorted(stats.keys() - kinds.keys()):
        raise UsageError(f"{homeless[0]!r} has no kind: expected one for every active skill")


def _retires(stats: SkillStats, rule: AuditRule, low: float) -> bool:
    is_low = stats.utility is not None and stats.utility < low
    return is_low and stats.low_streak >= rule.min_streak and stats.uses >= rule.min_uses


def _falls_short(stats: SkillStats, success: float, rule: AuditRule) -> bool:
    return success < rule.expand_below and len(stats.failures) >= rule.min_failures


def _decision(
    name: str, stats: SkillStats, success: float, retired: bool, expanded: bool
) -> Decision:
    reason = (
        f"utility {stats.utility or 0.0:+.3f}, {stats.low_streak} low audits in a row, "
        f"{stats.uses} uses, success {success:.2f}, {len(stats.failures)} failures"
    )
    if retired:
        return Decision(name, "retire", reason)
    return Decision(
        name, "expand" if expanded else "keep", reason, stats.failures if expanded else ()
    )
