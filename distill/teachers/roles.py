"""What a teacher can be asked: roles, each an instruction and the form of its answer. Pure.

Owns the words of every prompt and which roles may see the truth. Refuses to own who answers
(`sources.py`). To add a role: a word in `RoleName`, a form in `answers.py`, a row in `ROLES`.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from pydantic import BaseModel

from ...adapters.digests import canonical_json
from ...adapters.errors import UsageError
from . import answers

RoleName = Literal[
    "attribute", "propose", "write", "merge", "rewrite", "extract", "judge", "challenge",
    "label_skills", "reflect",
]  # fmt: skip
Payload = Mapping[str, object]
"""What a role is told: JSON values by key."""

TRUTH = "truth"
"""The key of what only privileged roles may see: expected answers, checkers."""


@dataclass(frozen=True)
class Role:
    """One row: the instruction, the keys that a payload must and may have, the usual answer."""

    name: RoleName
    instruction: str
    needs: tuple[str, ...]
    answer: type[BaseModel]
    takes: tuple[str, ...] = ()
    privileged: bool = False
    """Whether it may be told the truth unless a teacher is set up otherwise."""


_ROWS = (
    Role(
        "attribute",
        "Say why this answer fails: a short label of the failure that would recur in like cases, "
        "and the first step that went wrong.",
        ("request", "answer"),
        answers.Cause,
        ("skill",),
        privileged=True,
    ),
    Role(
        "propose",
        "Read the failures and say which one change of the skills would prevent most of them. Do "
        "not repeat what was refused before. Answer none where no change would help.",
        ("failures", "skills"),
        answers.Proposal,
        ("history",),
        privileged=True,
    ),
    Role(
        "write",
        "Write a skill: a procedure that solves requests like these and nothing that is true of "
        "one of them alone. Use the imperative. The description says when to use it.",
        ("examples",),
        answers.Draft,
        ("name", "description", "guide"),
    ),
    Role(
        "merge",
        "Write one skill in place of these. Keep all guidance that is valid; where they "
        "contradict each other, leave both out.",
        ("skills",),
        answers.Draft,
        ("name", "guide"),
    ),
    Role(
        "rewrite",
        "Rewrite this skill as told. Keep its name, and everything that the instruction does not "
        "ask to change.",
        ("skill", "instruction"),
        answers.Draft,
        ("failures", "guide"),
    ),
    Role(
        "extract",
        "Write down as skills what these traces teach: procedures that recur, causes of failure "
        "with their remedy, actions that must not be taken.",
        ("traces",),
        answers.Drafts,
        ("guide",),
    ),
    Role(
        "judge",
        "Say whether the answer is right.",
        ("request", "answer"),
        answers.Judgement,
        ("rubric",),
        privileged=True,
    ),
    Role(
        "challenge",
        "Write new requests of this kind, and the answer to each where it is certain.",
        ("count",),
        answers.Challenges,
        ("skill", "examples", "guide"),
        privileged=True,
    ),
    Role(
        "label_skills",
        "Name the skills that solving this request takes.",
        ("request",),
        answers.Labels,
        ("skill", "known"),
        privileged=True,
    ),
    Role(
        "reflect",
        "Look back at this solution. Which named, reusable steps would have made it shorter or "
        "right? A step is an instruction, not a solution.",
        ("request", "answer"),
        answers.Lessons,
        (),
    ),
)
ROLES: Mapping[RoleName, Role] = {row.name: row for row in _ROWS}
PRIVILEGED: frozenset[RoleName] = frozenset(row.name for row in _ROWS if row.privileged)


@dataclass(frozen=True)
class Question:
    """One thing asked, complete: the same question has the same key everywhere."""

    role: Role
    payload: Payload
    schema: type[BaseModel]
    seed: int

    @cached_property
    def schema_json(self) -> dict[str, object]:
        """The JSON schema of the answer."""
        return self.schema.model_json_schema()

    @cached_property
    def messages(self) -> tuple[Mapping[str, str], ...]:
        """The conversation that a model is shown."""
        form = json.dumps(self.schema_json, sort_keys=True, ensure_ascii=False)
        system = f"{self.role.instruction}\n\nAnswer with one JSON object of this schema:\n{form}"
        parts = [f"## {key}\n{_shown(self.payload[key])}" for key in sorted(self.payload)]
        return (
            {"role": "system", "content": system},
            {"role": "user", "content": "\n\n".join(parts)},
        )

    def key(self, backend: str) -> str:
        """SHA-256 (hex) over backend, role, payload, schema and seed."""
        document = {
            "backend": backend,
            "role": self.role.name,
            "payload": dict(self.payload),
            "schema": self.schema_json,
            "seed": self.seed,
        }
        return hashlib.sha256(canonical_json(document)).hexdigest()


def question(
    role: str,
    payload: Payload,
    *,
    schema: type[BaseModel],
    seed: int,
    privileged: Collection[str] = PRIVILEGED,
) -> Question:
    """What is asked, checked before anybody answers.

    Raises:
        UsageError: no such role, a key too many or too few, the truth told to a role that may not
            see it, or a value that JSON cannot say.
    """
    name = next((known for known in get_args(RoleName) if known == role), None)
    if name is None:
        raise UsageError(f"role {role!r} is unknown; expected one of {', '.join(ROLES)}")
    row = ROLES[name]
    missing = sorted(set(row.needs) - payload.keys())
    extra = sorted(payload.keys() - {*row.needs, *row.takes, TRUTH})
    if missing or extra:
        raise UsageError(
            f"role {role!r} is told {sorted(payload)}: missing {missing}, unknown {extra}; it "
            f"needs {list(row.needs)} and takes {list(row.takes)}"
        )
    if TRUTH in payload and role not in privileged:
        raise UsageError(
            f"role {role!r} may not see the truth, or answers would reach skill texts; leave "
            f"{TRUTH!r} out, or declare the role privileged where the teacher is made"
        )
    try:
        canonical_json(dict(payload))
    except (ValueError, TypeError) as err:
        raise UsageError(f"role {role!r} is told what JSON cannot say: {err}") from err
    return Question(row, payload, schema, seed)


def _shown(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1)
