"""`SkillBank`: named skills over immutable versions, changed by operations that are all logged.

Owns the log in memory and every way to extend it. Refuses to own files (`folder.py`, which hands in
a journal) and any decision what to change (recipes). A bank is its log: replaying it gives the same
bank, and two runs that do the same have the same event ids.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from ...adapters.errors import Conflict, NotFound
from ...adapters.skills import Skill
from ...adapters.text import shown, some
from .fit import Fit, fit, priced
from .log import require_log
from .rules import BINDING, advice_on, require_evidence, require_sound
from .search import Hit, Mode, search
from .state import BankState, SkillStats, advance, replay
from .texts import resolved, text_digest, to_skill, to_text
from .types import (
    Applied,
    Event,
    EventBody,
    Observation,
    Observed,
    Opened,
    Refused,
    RolledBack,
    SkillOp,
    SkillText,
    StatsRule,
    Ungated,
)

Journal = Callable[[Event], None]
"""Makes one event durable, or raises and leaves nothing."""


class SkillBank:
    """A bank in memory, or with a journal a bank on disk.

    Args:
        events: a log to go on from; empty for a new bank.
        rule: of statistics, for a new bank; a log brings its own.
        binding: codes of the linter's advice that refuse a text.
        journal: called with every event before the bank changes.

    Raises:
        StoreError: the log does not begin as one, or its links do not hold.
    """

    def __init__(
        self,
        events: Sequence[Event] = (),
        *,
        rule: StatsRule | None = None,
        binding: Collection[str] = BINDING,
        journal: Journal | None = None,
    ) -> None:
        self._journal = journal
        self._binding = frozenset(binding)
        self._events: tuple[Event, ...] = ()
        self._state = BankState()
        if events:
            require_log(events)
            self._events, self._state = tuple(events), replay(events)
        else:
            self._append(Opened(rule=rule or StatsRule()))

    @property
    def events(self) -> tuple[Event, ...]:
        """The whole log."""
        return self._events

    @property
    def state(self) -> BankState:
        """What the log amounts to."""
        return self._state

    @property
    def names(self) -> tuple[str, ...]:
        """Of the active skills, sorted."""
        return tuple(sorted(self._state.heads))

    def __len__(self) -> int:
        return len(self._state.heads)

    def __contains__(self, name: object) -> bool:
        return name in self._state.heads

    def text(self, name: str) -> SkillText:
        """The active version of a name.

        Raises:
            NotFound: no active skill is called so.
        """
        if name not in self._state.heads:
            raise NotFound(
                f"no active skill {shown(name)!r}; active are {some(self.names) or 'none'}"
            )
        return self._state.head(name)

    def skill(self, name: str) -> Skill:
        """The same as a value for prompts and worlds; raises like `text`."""
        return to_skill(self.text(name))

    def skills(self) -> tuple[Skill, ...]:
        """Every active skill, by name."""
        return tuple(to_skill(self._state.head(name)) for name in self.names)

    def stats(self, name: str) -> SkillStats:
        """What was observed of the active version; raises like `text`."""
        self.text(name)
        return self._state.stats.get(self._state.heads[name], SkillStats())

    def search(self, query: str, k: int, *, mode: Mode = "bm25") -> tuple[Hit, ...]:
        """At most `k` active skills that match, the best first; see `search.search`."""
        return search([self.text(name) for name in self.names], query, k, mode=mode)

    def fit(self, budget_tokens: int, *, count_tokens: Callable[[str], int]) -> Fit:
        """Which active skills go into a prompt of so many tokens, by utility; see `fit.fit`."""
        texts = [self.text(name) for name in self.names]
        return fit(
            [priced(t, self.stats(t.name).utility, count_tokens=count_tokens) for t in texts],
            budget_tokens,
        )

    def apply(self, op: SkillOp) -> Event:
        """Let an operation take effect.

        Raises:
            SkillError, NotFound, Conflict: it makes no sense here, its text may not be written, or
                its gate turned it away; nothing changed.
            StoreError: the journal could not keep it; nothing changed.
        """
        sound = self._sound(op)
        require_evidence(sound)
        digests = tuple(text_digest(text) for text in sound.new)
        advice = tuple(sorted({problem.code for problem in advice_on(sound)}))
        return self._append(Applied(op=sound, digests=digests, advice=advice))

    def refuse(self, op: SkillOp) -> Event:
        """Note an operation that a gate turned away; raises like `apply` for one without sense.

        Raises:
            Conflict: its gate let it pass.
        """
        sound = self._sound(op)
        if isinstance(sound.gate, Ungated) or sound.gate.passed:
            raise Conflict(f"{op.kind} was not turned away by a gate; apply it, or leave it")
        return self._append(Refused(op=sound))

    def observe(self, name: str, seen: Observation) -> Event:
        """Note what was seen of the active version of a name; raises like `text`."""
        self.text(name)
        return self._append(Observed(digest=self._state.heads[name], observation=seen))

    def snapshot(self) -> str:
        """A name for the bank as it is now, good for `rollback` here and in every fork."""
        return self._events[-1].id

    def heads_at(self, snapshot: str) -> Mapping[str, str]:
        """Name -> digest as it was after an event.

        Raises:
            NotFound: this log has no such event, or several begin so.
        """
        hits = [index for index, event in enumerate(self._events) if event.id.startswith(snapshot)]
        if not snapshot or len(hits) != 1:
            raise NotFound(
                f"snapshot {shown(snapshot)!r} names {len(hits)} events of this bank, expected "
                "one; the log lists them"
            )
        return replay(self._events[: hits[0] + 1]).heads

    def rollback(self, snapshot: str, *, why: str = "") -> Event:
        """Make the active skills what they were; what was observed since stays known.

        Raises:
            NotFound: as `heads_at`.
        """
        heads = self.heads_at(snapshot)
        to = next(event.id for event in self._events if event.id.startswith(snapshot))
        return self._append(RolledBack(to=to, heads=heads, why=why))

    def fork(self) -> "SkillBank":
        """A bank in memory with the same past; what either does later, the other never sees.

        Nothing is copied: texts, states and events are immutable and shared.
        """
        other = SkillBank.__new__(SkillBank)
        other._journal, other._binding = None, self._binding
        other._events, other._state = self._events, self._state
        return other

    def adopt(self, fork: "SkillBank") -> int:
        """Take over what a fork of this bank did; returns the number of new events.

        Raises:
            Conflict: this bank moved on since the fork was made.
        """
        mine = len(self._events)
        if fork.events[mine - 1 : mine] != self._events[-1:]:
            raise Conflict(
                f"the fork does not go on from event {mine - 1} of this bank; fork again and "
                "repeat its operations there"
            )
        for event in fork.events[mine:]:
            self._append(event.body)
        return len(self._events) - mine

    def _sound(self, op: SkillOp) -> SkillOp:
        if op.edits and op.new:
            raise Conflict(f"{op.kind} came with edits and with a text; give one of them")
        target = self.text(op.targets[0]) if op.edits and op.targets else None
        sound = resolved(op, target)
        require_sound(sound, self._state, binding=self._binding)
        return sound

    def _append(self, body: EventBody) -> Event:
        event = Event.after(self._events[-1] if self._events else None, body)
        state = advance(self._state, event)
        if self._journal is not None:
            self._journal(event)
        self._events, self._state = (*self._events, event), state
        return event


def seeded(
    skills: Iterable[Skill], *, why: str = "seed", into: SkillBank | None = None
) -> SkillBank:
    """A bank that begins with these skills, ungated and saying so.

    Raises:
        SkillError, Conflict: as `SkillBank.apply`.
    """
    bank = into if into is not None else SkillBank()
    for skill in skills:
        bank.apply(SkillOp(kind="create", new=(to_text(skill),), gate=Ungated(why=why)))
    return bank
