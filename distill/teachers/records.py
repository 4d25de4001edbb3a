"""Answers on disk, so that every experiment runs again offline and spends the same.

Owns one file of lines, `answers.jsonl`, keyed by (backend, role, payload, schema, seed). Refuses to
own when to look there (`asking.py`). The instruction of a role is not in the key: rewording it does
not throw recorded answers away; delete the folder where it should.
"""

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...adapters.digests import canonical_json
from ...adapters.errors import StoreError
from ..bank.journal import append_line, read_lines
from ..bank.texts import reasons
from .roles import Question

ANSWERS = "answers.jsonl"


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Reply(_Frozen):
    """How one question ended, over all attempts."""

    document: dict[str, object] | None
    """The answer as JSON; None where it was rejected."""
    complaints: tuple[str, ...] = ()
    """What was wrong with each malformed attempt."""
    calls: int = Field(ge=1)
    prompt_tokens: int = Field(0, ge=0)
    completion_tokens: int = Field(0, ge=0)


class _Row(_Frozen):
    """One line; what was asked stands in it, so that a person can read the file."""

    backend: str
    role: str
    payload: dict[str, object]
    schema_: dict[str, object] = Field(alias="schema")
    seed: int
    reply: Reply

    @property
    def key(self) -> str:
        asked = self.model_dump(mode="json", by_alias=True, exclude={"reply"})
        return hashlib.sha256(canonical_json(asked)).hexdigest()


class Records:
    """The recorded answers of a folder, which is made when the first is kept.

    Raises:
        StoreError: a line of the file is no record; a torn last one is passed over and
            cut off by the next that is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / ANSWERS
        self._replies: dict[str, Reply] = {}
        for number, line in enumerate(read_lines(self.path).lines, 1):
            try:
                row = _Row.model_validate_json(line)
            except ValidationError as err:
                raise StoreError(
                    f"line {number} of {self.path} is no recorded answer ({reasons(err)[:300]}); "
                    "restore the file, or delete it and record again"
                ) from err
            self._replies.setdefault(row.key, row.reply)

    def __len__(self) -> int:
        return len(self._replies)

    def find(self, key: str) -> Reply | None:
        """The first answer recorded under a key."""
        return self._replies.get(key)

    def keep(self, backend: str, asked: Question, reply: Reply) -> None:
        """Record an answer; one that is there already stays.

        Raises:
            StoreError: the disk is unwilling; nothing was kept.
        """
        key = asked.key(backend)
        if key in self._replies:
            return
        row = {
            "backend": backend,
            "role": asked.role.name,
            "payload": dict(asked.payload),
            "schema": asked.schema_json,
            "seed": asked.seed,
            "reply": reply.model_dump(mode="json"),
        }
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as err:
            raise StoreError(f"cannot make {self.path.parent}: {err.strerror}") from err
        append_line(self.path, canonical_json(row) + b"\n")
        self._replies[key] = reply
