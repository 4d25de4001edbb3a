"""The nouns of an experiment: arms, answers, results of items, and what is computed from them.

Owns: frozen values and the two structural protocols an item must meet. Refuses to own: how an
answer is produced (`evaluator.Ask`) and how a task is verified (the worlds).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .stats import Discordant, Interval


class Outcome(Protocol):
    """What a verifier says about one answer."""

    @property
    def passed(self) -> bool: ...
    @property
    def reward(self) -> float: ...
    @property
    def reason(self) -> str: ...


class Item(Protocol):
    """One task with its verifier; `worlds.types.Task` meets it without importing us."""

    @property
    def id(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def messages(self) -> Sequence[Mapping[str, object]]: ...
    @property
    def split(self) -> str: ...
    @property
    def meta(self) -> Mapping[str, object]: ...

    def verify(self, text: str) -> Outcome:
        """Judge an answer; pure and deterministic, and never raises on any text."""
        ...


@dataclass(frozen=True, slots=True)
class Arm:
    """One condition of an experiment: which model string and which text an item is asked with.

    Most arms differ from skill to skill (by name, wrong LoRA, full text), hence the two tables
    keyed by cluster; a cluster that is not in the table gets the plain field.
    """

    name: str
    """Short and stable: it is a key in every output."""
    about: str = ""
    """One sentence for readers of the report."""
    model: str = "base"
    """The model string of clusters that are not in `models`."""
    system: str | None = None
    """The system text of clusters that are not in `systems`."""
    models: Mapping[str, str] = field(default_factory=dict)
    systems: Mapping[str, str] = field(default_factory=dict)
    samples: int = 1
    """Answers that an item may get; of several, drawn at random, the first that passes counts."""

    def model_for(self, cluster: str) -> str:
        """The model string that items of this cluster are asked with."""
        return self.models.get(cluster, self.model)

    def system_for(self, cluster: str) -> str | None:
        """The system text that items of this cluster are asked with; None is none."""
        return self.systems.get(cluster, self.system)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one item: the text, its price and the reply's headers."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Reply headers; names in lower case."""
    ttft_s: float | None = None
    """Seconds to the first token; None where the reply was not streamed."""
    wall_s: float = 0.0
    """Seconds from sending the request to the last byte."""


@dataclass(frozen=True, slots=True)
class ItemResult:
    """One arm on one item. A failed request is a result too: not passed, `error` says why."""

    item_id: str
    cluster: str
    """The skill the item belongs to; what the bootstrap resamples first."""
    arm: str
    passed: bool
    reward: float
    prompt_tokens: int
    completion_tokens: int
    answer: str
    route: str = ""
    """The adapter or skill that answered, from the reply; empty where none did."""
    form: str = ""
    """adapter | text | none, from the reply."""
    reason: str = ""
    """The verifier's reason."""
    error: str = ""
    """Why the request failed; empty where it did not."""
    ttft_s: float | None = None
    wall_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Tokens:
    """Mean tokens an item, over the requests that were answered."""

    prompt: float
    completion: float


@dataclass(frozen=True, slots=True)
class ArmSummary:
    """One arm over all its items."""

    name: str
    mean: float
    """Share of items passed, failed requests counted as not passed."""
    ci: tuple[float, float]
    """95 % interval of the mean, clustered by skill."""
    n: int
    tokens: Tokens
    failures: int = 0
    per_cluster: Mapping[str, float] = field(default_factory=dict)
    """Share of items passed, one entry a skill."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Arm a minus arm b on the same items."""

    a: str
    b: str
    diff: float
    ci: tuple[float, float]
    """95 % paired interval, clustered by skill."""
    discordant: Discordant
    n: int
    p_mcnemar: float
    """Exact two-sided p; blind to clusters, for information."""
    p: float = 1.0
    """Two-sided p on the clusters, of the same kind as the interval."""
    p_holm: float | None = None
    """`p` corrected for the comparisons it was reported with; None where it stands alone."""

    @property
    def interval(self) -> Interval:
        """The difference and its interval as one value."""
        return Interval(self.diff, *self.ci)
