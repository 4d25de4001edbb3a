"""What a bank is made of: texts, operations on them, and the events of its log. Pure.

Owns the shapes, which are also the lines of a ledger: a hostile line fails here. Refuses to own
what an operation may do (`rules.py`) and what an event changes (`state.py`). A seventh operation
would be a word in `OpKind`, a row in `ARITY`, and nothing else.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ...adapters.digests import canonical_json
from ...adapters.names import validate_name

OpKind = Literal["create", "improve", "merge", "split", "compress", "retire"]


class Arity(NamedTuple):
    """How many heads an operation needs, and how many new texts it leaves."""

    min_targets: int
    max_targets: int
    min_new: int
    max_new: int


MANY = 1000
"""Bound of what one operation touches."""
ARITY: Mapping[OpKind, Arity] = {
    "create": Arity(0, 0, 1, 1),
    "improve": Arity(1, 1, 1, 1),
    "merge": Arity(2, MANY, 1, 1),
    "split": Arity(1, 1, 2, MANY),
    "compress": Arity(1, 1, 1, 1),
    "retire": Arity(1, MANY, 0, 0),
}
REWRITES: frozenset[OpKind] = frozenset({"improve", "compress"})
"""They keep the name, and take edits in place of a whole text."""

_PART = r"[A-Za-z0-9_][\w.-]{0,99}"
_FILE = re.compile(rf"{_PART}(/{_PART})?", re.ASCII)


class Record(BaseModel):
    """Frozen, no unknown keys, no NaN, no broken Unicode."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class SkillText(Record):
    """One version of a skill: all that its folder holds. Immutable, named by its digest."""

    name: str
    description: str
    body: str
    license: str | None = None
    compatibility: str | None = None
    allowed_tools: str | None = None
    metadata: Mapping[str, str] = {}
    files: Mapping[str, str] = {}
    """Texts beside SKILL.md: path (at most one folder deep) -> content."""

    @field_validator("name")
    @classmethod
    def _is_slug(cls, name: str) -> str:
        return validate_name(name)

    @field_validator("files")
    @classmethod
    def _stay_inside(cls, files: Mapping[str, str]) -> Mapping[str, str]:
        for path in files:
            if not _FILE.fullmatch(path) or path.lower() == "skill.md":
                raise ValueError(
                    f"file {path!r} may not stand beside a SKILL.md: expected letters, digits, "
                    "dots and hyphens, at most one folder deep, such as 'references/units.md'"
                )
        return files


def shown_text(text: SkillText) -> str:
    """What search and checks of leakage read: name, description, body."""
    return f"{text.name.replace('-', ' ')}\n{text.description}\n{text.body}"


class Edit(Record):
    """One change of a body: `find`, which stands there exactly once, becomes `replace`."""

    find: str = Field(min_length=1)
    replace: str


class GateVerdict(Record):
    """What a gate said of paired results; differences are candidate minus reference."""

    type: Literal["gate"] = "gate"
    gate: str
    """The gate with its numbers, such as `delta-pass-rate > 0.1`."""
    passed: bool
    delta: float
    low: float
    high: float
    n: int
    reason: str


class Ungated(Record):
    """Nobody measured: seeds, and arms of an experiment that say so."""

    type: Literal["ungated"] = "ungated"
    why: str = Field(min_length=1)


class SkillOp(Record):
    """One operation on a bank."""

    kind: OpKind
    targets: tuple[str, ...] = ()
    """Names of active skills that it acts on."""
    new: tuple[SkillText, ...] = ()
    edits: tuple[Edit, ...] = ()
    """In place of `new` for `improve` and `compress`: changes of the target's body, in order."""
    rationale: str = ""
    evidence: tuple[str, ...] = ()
    """Ids of tasks, trajectories or results that speak for it."""
    gate: Annotated[GateVerdict | Ungated, Field(discriminator="type")]


class StatsRule(Record):
    """How observations become statistics; fixed when a bank is made, so that a replay agrees."""

    decay: float = Field(0.9, ge=0.0, lt=1.0)
    """Of the moving average of utility: new = decay * old + (1 - decay) * seen."""
    low: float = 0.001
    """Utility below it counts for the low streak."""
    bucket: int = Field(32, ge=1)
    """So many failures of a skill are remembered, the latest."""


class Observation(Record):
    """What was seen of one version of a skill."""

    uses: int = Field(0, ge=0)
    utility: float | None = None
    """Its marginal utility in one audit; None where only its use was seen."""
    failures: tuple[str, ...] = ()
    """Ids of tasks that it was used on and that failed."""
    halve_failures: bool = False
    """Keep the later half of the bucket alone: it was worked on. Done before `failures` join."""


class Opened(Record):
    type: Literal["opened"] = "opened"
    format: Literal[1] = 1
    rule: StatsRule = StatsRule()


class Applied(Record):
    """An operation that took effect; `op.new` holds the texts, also where it came as edits."""

    type: Literal["applied"] = "applied"
    op: SkillOp
    digests: tuple[str, ...]
    """Of `op.new`, in order."""
    advice: tuple[str, ...] = ()
    """Codes of what the linter said of the new texts."""


class Refused(Record):
    """An operation that a gate turned away: no effect, kept so that nobody proposes it again."""

    type: Literal["refused"] = "refused"
    op: SkillOp


class Observed(Record):
    type: Literal["observed"] = "observed"
    digest: str
    """The version that was observed, not the name: a new text begins without a past."""
    observation: Observation


class RolledBack(Record):
    """The heads as they were after an earlier event; statistics are facts and stay."""

    type: Literal["rolled-back"] = "rolled-back"
    to: str
    heads: Mapping[str, str]
    why: str = ""


EventBody = Annotated[
    Opened | Applied | Refused | Observed | RolledBack, Field(discriminator="type")
]


class Event(Record):
    """One line of the log. `id` is a hash over the line and its parent's id: a chain."""

    seq: int = Field(ge=0)
    id: str
    parent: str
    body: EventBody

    @classmethod
    def after(cls, parent: "Event | None", body: EventBody) -> "Event":
        """The event that follows `parent`; the same log gives the same ids everywhere."""
        seq, parent_id = (0, "") if parent is None else (parent.seq + 1, parent.id)
        return cls(seq=seq, id=event_id(seq, parent_id, body), parent=parent_id, body=body)

    def line(self) -> bytes:
        """As it stands in a ledger, with its line end."""
        return canonical_json(self.model_dump(mode="json")) + b"\n"


def event_id(seq: int, parent: str, body: EventBody) -> str:
    """SHA-256 (hex) of what an event says and of what it follows."""
    document = {"seq": seq, "parent": parent, "body": body.model_dump(mode="json")}
    return hashlib.sha256(canonical_json(document)).hexdigest()
