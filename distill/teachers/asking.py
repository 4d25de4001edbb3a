"""`AskedTeacher`: a source behind the rules that every answer must pass.

Owns parsing, validation, bounded retries, counting, and the order of record, budget and source.
Refuses to own who says the texts (`sources.py`, `programmatic.py`) and where records lie
(`records.py`).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

from pydantic import ValidationError

from ...adapters.errors import UsageError
from ..bank.texts import reasons
from .errors import MalformedAnswer, ReplayMiss
from .records import Records, Reply
from .roles import PRIVILEGED, Payload, Question, question
from .types import Source, TeacherBudget, Value

MAX_ANSWER_CHARS = 1 << 18
"""A longer answer is malformed: no form is so long."""
_COMPLAINT_CHARS = 300


@dataclass
class Counts:
    """What was asked of a teacher and what came back; the same live and replayed."""

    asked: int = 0
    answered: int = 0
    rejected: int = 0
    """Asked, and no attempt was well formed."""
    malformed: int = 0
    """Attempts that were not well formed."""
    calls: int = 0
    """Attempts in all."""
    replayed: int = 0
    """Of `asked`, answered from records."""
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def to_row(self) -> dict[str, int]:
        """For cards and evidence."""
        return asdict(self)


class AskedTeacher:
    """Meets `Teacher`.

    Args:
        source: who says the texts; None answers from `records` alone, under `label`.
        attempts: how often one question is put before it is rejected.
        records: answers are looked up there first and kept there.
        budget: asked before every call, replayed ones too, so that an offline run spends alike.
        privileged: roles that may be told the truth.
        label: of an offline teacher: the label of the source whose answers were recorded.

    Raises:
        UsageError: neither a source nor records with a label, or no attempt.
    """

    def __init__(
        self,
        source: Source | None,
        *,
        attempts: int = 3,
        records: Records | None = None,
        budget: TeacherBudget | None = None,
        privileged: Collection[str] = PRIVILEGED,
        label: str = "",
    ) -> None:
        if attempts < 1 or (source is None and (records is None or not label)):
            raise UsageError(
                f"a teacher of {attempts} attempts: expected at least 1, and a source, or records "
                "with the label of the source that made them"
            )
        self.counts = Counts()
        self._source, self._attempts, self._label = source, attempts, label
        self._records, self._budget, self._privileged = records, budget, frozenset(privileged)
        self._asking: dict[str, tuple[asyncio.Lock, int]] = {}

    @property
    def label(self) -> str:
        """See `Teacher`."""
        return self._source.label if self._source is not None else self._label

    async def ask(
        self, role: str, payload: Payload, *, schema: type[Value], seed: int = 0
    ) -> Value:
        """Ask in a role; see `Teacher`."""
        asked = question(role, payload, schema=schema, seed=seed, privileged=self._privileged)
        key = asked.key(self.label)
        async with self._alone(key):
            reply = await self._reply(asked, key)
        self.counts.asked += 1
        self.counts.malformed += len(reply.complaints)
        if reply.document is None:
            self.counts.rejected += 1
            raise MalformedAnswer(
                f"{self.label} gave no answer of the form {schema.__name__} as {role!r} in "
                f"{reply.calls} attempts; the last: {reply.complaints[-1]}"
            )
        self.counts.answered += 1
        return schema.model_validate_json(json.dumps(reply.document))

    @asynccontextmanager
    async def _alone(self, key: str) -> AsyncIterator[None]:
        """One at a time a question: the second finds what the first recorded."""
        lock, num_waiting = self._asking.get(key, (asyncio.Lock(), 0))
        self._asking[key] = (lock, num_waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, num_waiting = self._asking.pop(key)
            if num_waiting > 1:
                self._asking[key] = (lock, num_waiting - 1)

    async def _reply(self, asked: Question, key: str) -> Reply:
        known = self._records.find(key) if self._records is not None else None
        if known is not None:
            for _ in range(known.calls):
                self._before_call(asked)
            self._after_call(asked, known.prompt_tokens, known.completion_tokens)
            self.counts.replayed += 1
            return known
        if self._source is None:
            raise ReplayMiss(
                f"no recorded answer of {self.label} as {asked.role.name!r}, key {key}; record "
                "again with the teacher at hand"
            )
        reply = await self._converse(self._source, asked)
        if self._records is not None:
            self._records.keep(self.label, asked, reply)
        return reply

    async def _converse(self, source: Source, asked: Question) -> Reply:
        complaints: list[str] = []
        prompt_tokens = completion_tokens = 0
        for attempt in range(self._attempts):
            self._before_call(asked)
            complaint = complaints[-1] if complaints else ""
            said = await source.say(asked, attempt=attempt, complaint=complaint)
            self._after_call(asked, said.prompt_tokens, said.completion_tokens)
            prompt_tokens += said.prompt_tokens
            completion_tokens += said.completion_tokens
            value = parsed(said.text, asked.schema)
            if not isinstance(value, str):
                document = value.model_dump(mode="json")
                return Reply(
                    document=document,
                    complaints=tuple(complaints),
                    calls=attempt + 1,
                    prompt_tokens=prompt_tokens,
                    completion_tokens=completion_tokens,
                )
            complaints.append(value)
        return Reply(
            document=None,
            complaints=tuple(complaints),
            calls=self._attempts,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
        )

    def _before_call(self, asked: Question) -> None:
        if self._budget is not None:
            self._budget.spend("teacher_calls", on=f"role {asked.role.name}")
        self.counts.calls += 1

    def _after_call(self, asked: Question, prompt_tokens: int, completion_tokens: int) -> None:
        self.counts.prompt_tokens += prompt_tokens
        self.counts.completion_tokens += completion_tokens
        if self._budget is not None:
            tokens = prompt_tokens + completion_tokens
            self._budget.record("tokens", tokens, on=f"role {asked.role.name}")


def parsed(text: str, schema: type[Value]) -> Value | str:
    """The validated value of an answer, or what is wrong with it. Never executes or repairs.

    One JSON object, with a code fence around it or without; anything beside it is malformed.
    """
    if len(text) > MAX_ANSWER_CHARS:
        return f"the answer has {len(text)} characters, expected at most {MAX_ANSWER_CHARS}"
    try:
        return schema.model_validate_json(_unfenced(text).encode("utf-8"))
    except UnicodeEncodeError:
        return "the answer holds broken Unicode (lone surrogates)"
    except ValidationError as err:
        return f"the answer is no {schema.__name__}: {reasons(err)}"[:_COMPLAINT_CHARS]


def _unfenced(text: str) -> str:
    lines = text.strip().split("\n")  # JSON's own strings may hold other ends of lines
    if len(lines) > 2 and lines[0].strip() in ("```", "```json") and lines[-1].strip() == "```":
        return "\n".join(lines[1:-1])
    return text.strip()
