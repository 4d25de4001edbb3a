"""What a log of events amounts to: `advance(state, event) -> state`. Pure.

Owns the meaning of every event. Nothing here mutates, so forks of a bank share their past. Refuses
to own whether an operation makes sense (`rules.py`): it has been judged before it became an event.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce

from .types import Applied, Event, Observation, Observed, Opened, RolledBack, SkillText, StatsRule


@dataclass(frozen=True)
class SkillStats:
    """What is known of one version of a skill."""

    uses: int = 0
    utility: float | None = None
    """Moving average of marginal utility, begun with the first one seen; None before any."""
    audits: int = 0
    low_streak: int = 0
    """Audits in a row after which `utility` lay below the rule's `low`."""
    failures: tuple[str, ...] = ()
    """The failure bucket: ids of failed tasks, the latest last."""


@dataclass(frozen=True)
class BankState:
    """Heads over immutable versions, with what was observed of each version."""

    rule: StatsRule = field(default_factory=StatsRule)
    heads: Mapping[str, str] = field(default_factory=dict)
    """Name of every active skill -> digest of its version."""
    versions: Mapping[str, SkillText] = field(default_factory=dict)
    """Every version that ever was, by digest."""
    stats: Mapping[str, SkillStats] = field(default_factory=dict)
    """By digest; a version that was never observed has no entry."""

    def head(self, name: str) -> SkillText:
        """The active text of a name; KeyError where there is none."""
        return self.versions[self.heads[name]]


def observe(stats: SkillStats, seen: Observation, rule: StatsRule) -> SkillStats:
    """One observation later.

    Source: the audit of SLIM (arXiv:2605.10923). Departs: the average begins with the first
    utility seen; begun at 0 it lags below every threshold for many audits.
    """
    kept = stats.failures
    if seen.halve_failures:
        kept = kept[len(kept) - len(kept) // 2 :]
    failures = (*kept, *seen.failures)[-rule.bucket :]
    stats = replace(stats, uses=stats.uses + seen.uses, failures=failures)
    if seen.utility is None:
        return stats
    utility = seen.utility
    if stats.utility is not None:
        utility = rule.decay * stats.utility + (1.0 - rule.decay) * seen.utility
    low_streak = stats.low_streak + 1 if utility < rule.low else 0
    return replace(stats, utility=utility, audits=stats.audits + 1, low_streak=low_streak)


def advance(state: BankState, event: Event) -> BankState:
    """The state after one event."""
    body = event.body
    if isinstance(body, Opened):
        return replace(state, rule=body.rule)
    if isinstance(body, Applied):
        texts = dict(zip(body.digests, body.op.new, strict=True))
        heads = {name: at for name, at in state.heads.items() if name not in body.op.targets}
        heads |= {text.name: digest for digest, text in texts.items()}
        return replace(state, heads=heads, versions={**texts, **state.versions})
    if isinstance(body, Observed):
        before = state.stats.get(body.digest, SkillStats())
        after = observe(before, body.observation, state.rule)
        return replace(state, stats={**state.stats, body.digest: after})
    if isinstance(body, RolledBack):
        return replace(state, heads=dict(body.heads))
    return state


def replay(events: Iterable[Event]) -> BankState:
    """The state that a whole log amounts to."""
    return reduce(advance, events, BankState())
