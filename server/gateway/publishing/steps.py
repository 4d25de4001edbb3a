"""The steps of training runs that are served, as a table. Pure.

A run publishes step after step; its newest `staleness + 2` are kept: those that a rollout may
still lag behind by, and the one that is being moved to. Owns which steps are kept and what a term
means. Refuses to own files and engines (`ephemeral.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ....adapters.errors import Conflict
from ....adapters.expr import Term
from ..residency.servable import Servable

MAX_RUNS = 64
MAX_STALENESS = 64


@dataclass(frozen=True)
class Step:
    """One published step. `own` says that its folder is ours to delete."""

    run: str
    number: int
    servable: Servable
    own: bool = True


@dataclass
class Run:
    """The served steps of one run, by number."""

    staleness: int
    steps: dict[int, Step] = field(default_factory=dict)

    @property
    def window(self) -> int:
        """How many steps are kept."""
        return self.staleness + 2

    @property
    def newest(self) -> int:
        return max(self.steps)


class Steps:
    """All runs."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}

    def __iter__(self) -> Iterator[tuple[str, Run]]:
        return iter(sorted(self._runs.items()))

    def __contains__(self, run: str) -> bool:
        return run in self._runs

    def admit(self, run: str, number: int, *, digest: str, staleness: int) -> Step | None:
        """Whether a step may come now; the step itself where this very one is here already.

        Raises:
            Conflict: other weights have this number, it lies behind the window, or there are too
                many runs.
        """
        known = self._runs.get(run)
        if known is None:
            if len(self._runs) >= MAX_RUNS:
                raise Conflict(
                    f"{MAX_RUNS} runs are published here already: end one of them first "
                    "(POST /admin/end)"
                )
            return None
        same = known.steps.get(number)
        if same is not None:
            if same.servable.digest == digest:
                return same
            raise Conflict(
                f"step {number} of run {run!r} is published with other weights: a number means one "
                "policy for good; count on, or end the run first (POST /admin/end)"
            )
        kept = sorted({*known.steps, number})[-(staleness + 2) :]
        if number not in kept:
            raise Conflict(
                f"step {number} of run {run!r} lies behind the window, whose steps are {kept}: "
                "count on, or end the run first (POST /admin/end)"
            )
        return None

    def add(self, step: Step, *, staleness: int) -> list[Step]:
        """Take a step in; returns those that leave for it, oldest first."""
        run = self._runs.setdefault(step.run, Run(staleness))
        run.staleness = staleness
        run.steps[step.number] = step
        leaving = sorted(run.steps)[: -run.window]
        return [run.steps.pop(number) for number in leaving]

    def end(self, run: str) -> list[Step]:
        """Let go of a run; returns its steps, none where it is unknown."""
        known = self._runs.pop(run, None)
        return [] if known is None else [known.steps[number] for number in sorted(known.steps)]

    def kept(self, run: str) -> tuple[int, ...]:
        """The numbers of a run's steps that are served."""
        known = self._runs.get(run)
        return () if known is None else tuple(sorted(known.steps))

    def find(self, term: Term) -> Step | None:
        """The step that a term means: `run@7`, and the newest for `run@latest` or `run` alone."""
        run = self._runs.get(str(term.id))
        if run is None or not run.steps or term.form == "text":
            return None
        if term.version is not None:
            return run.steps.get(term.version)
        return run.steps[run.newest] if term.alias in (None, "latest") else None
