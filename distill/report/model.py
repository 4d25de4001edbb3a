"""The data of a report: what `report.json` holds and both renderers read.

Owns: the blocks and their units. Shares lie between 0 and 1, differences between -1 and 1, times
are in seconds unless the name says ms. A block that is None was not measured, and the renderers
say so. Refuses to own: how a figure was made (`build`) and how it looks (`render`, `terminal`).
To add a block: a model here, a field of `Report`, a section in `report.html.jinja`, a table in
`terminal.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Met = Literal["met", "missed", "not measured"]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Bar(_Frozen):
    """One bar of the criterion, as written before the run, and what was seen."""

    figure: str
    """What is measured, in words."""
    bar: str
    """The bar, in words and with its unit."""
    seen: str
    """What was seen, with its unit and interval."""
    met: Met
    note: str = ""
    """Why a bar was missed, or why a reached bar does not count."""


class ArmRow(_Frozen):
    """One arm over all items."""

    name: str
    about: str = ""
    """One sentence on what the arm does."""
    mean: float
    ci: tuple[float, float]
    n: int
    failures: int = 0
    prompt_tokens: float
    completion_tokens: float


class ComparisonRow(_Frozen):
    """Arm a minus arm b, paired by item."""

    a: str
    b: str
    diff: float
    ci: tuple[float, float]
    only_a: int
    only_b: int
    p_mcnemar: float
    n: int


class SkillRow(_Frozen):
    """One skill: how its adapter was made and how every arm did on its items."""

    skill: str
    description: str = ""
    means: dict[str, float]
    """Share passed by arm name."""
    n: int
    demonstrations: int | None = None
    """Demonstrations sampled from the teacher."""
    kept: int | None = None
    """Those that passed the verifier and were trained on."""
    train_s: float | None = None
    adapter: str = ""
    """Reference in the store, such as `tidy-list@1`."""
    digest: str = ""
    """Version digest of the adapter."""


class RouterBlock(_Frozen):
    """What `auto` chose: rows are what a state was about, columns what was chosen."""

    rows: tuple[str, ...]
    """Skills, and one row for states outside every skill where there are some."""
    columns: tuple[str, ...]
    """Skills, and last the abstention."""
    counts: tuple[tuple[int, ...], ...]
    accuracy: float
    """Share of states of known skills that went to their own skill."""
    abstained: float
    """Share of states of known skills for which the router abstained."""
    out_of_scope_abstained: float | None = None
    """Share of states outside every skill for which it abstained, as it should."""
    selector: str = ""
    """The selector behind `auto`."""
    threshold: float | None = None
    dev: dict[str, float] = Field(default_factory=dict)
    """Balanced accuracy on dev of every candidate."""
    decision_ms: float | None = None
    """Median time of one decision."""

    @model_validator(mode="after")
    def _rectangular(self) -> Self:
        if len(self.counts) != len(self.rows) or any(
            len(row) != len(self.columns) for row in self.counts
        ):
            raise ValueError(
                f"counts are {[len(row) for row in self.counts]} wide for {len(self.rows)} rows "
                f"and {len(self.columns)} columns: expected one number a cell"
            )
        return self


class ExampleAnswer(_Frozen):
    """What one arm answered."""

    arm: str
    answer: str
    passed: bool
    route: str = ""


class Example(_Frozen):
    """One item of a skill, worked."""

    skill: str
    skill_text: str
    """The body of SKILL.md."""
    request: str
    expected: str = ""
    answers: tuple[ExampleAnswer, ...]


class CostRow(_Frozen):
    """One arm with the engine's prefix cache on or off."""

    arm: str
    prefix_cache: bool
    prompt_tokens: float
    ttft_ms_p50: float
    ttft_ms_p95: float | None = None
    requests_per_s: float


class BreakEven(_Frozen):
    """After how many requests training has paid for itself in engine time."""

    skill: str
    prefix_cache: bool
    train_s: float
    """Demonstrations and training."""
    saved_ms: float
    """Engine time saved a request against the full text; negative where it costs time."""
    requests: int | None
    """None: never, since nothing is saved."""


class CostBlock(_Frozen):
    """What an answer costs under each arm, and what training cost."""

    rows: tuple[CostRow, ...]
    break_even: tuple[BreakEven, ...] = ()
    concurrency: int | None = None
    """Requests in flight during the measurement."""
    note: str = ""


class HarmRow(_Frozen):
    """One adapter on items it was not made for, paired with the base on the same items."""

    adapter: str
    on: str
    """Which items, in words; the same words make one group."""
    n: int
    mean: float
    base_mean: float
    diff: float
    ci: tuple[float, float]
    only_adapter: int
    only_base: int


class NumericRow(_Frozen):
    """One adapter in vLLM and in PEFT: differences of log-probabilities, float32."""

    adapter: str
    tokens: int
    max_abs: float
    mean_abs: float
    wrong_adapter: str = ""
    """The adapter PEFT was given in the control."""
    wrong_mean_abs: float | None = None
    """Mean difference in the control; a check that works sees a large one."""


class NumericBlock(_Frozen):
    """Whether the engine computes what was trained."""

    rows: tuple[NumericRow, ...]
    bar_max_abs: float
    bar_wrong_mean_abs: float


class Provenance(_Frozen):
    """Everything needed to run it again."""

    base: str = ""
    base_digest: str = ""
    revision: str = ""
    """Revision of the code, with `-dirty` where the tree had changes."""
    command: str = ""
    platform: str = ""
    criterion_digest: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    seeds: dict[str, int] = Field(default_factory=dict)
    wall_s: dict[str, float] = Field(default_factory=dict)
    """Seconds by phase, in the order of the run."""


class Report(_Frozen):
    """A whole report."""

    title: str
    created: str
    """ISO 8601 with a time zone."""
    criterion: str = ""
    """What is shown when every bar is met, in one sentence."""
    bars: tuple[Bar, ...]
    arms: tuple[ArmRow, ...]
    comparisons: tuple[ComparisonRow, ...] = ()
    skills: tuple[SkillRow, ...] = ()
    router: RouterBlock | None = None
    examples: tuple[Example, ...] = ()
    cost: CostBlock | None = None
    harm: tuple[HarmRow, ...] | None = None
    numeric: NumericBlock | None = None
    provenance: Provenance = Provenance()
    notes: tuple[str, ...] = ()
    """Further sentences for the summary: what was skipped, what went wrong."""


def write_report(path: Path, report: Report) -> None:
    """Write `report.json`."""
    path.write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")
