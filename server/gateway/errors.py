"""The one table from error class to HTTP status and OpenAI error body.

Owns the table, the body's shape, and the two refusals that exist only on the wire. Refuses to
raise anything by itself. To give a class a status of its own: one row, above its parents.
"""

import json
from dataclasses import dataclass

from ...adapters import errors
from ...router.errors import RouterError, StaleRouter


class RequestRefused(errors.UsageError):
    """A request that cannot be served as it stands; `param` names the field at fault."""

    def __init__(self, message: str, *, param: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.param = param
        self.status = status


class Forbidden(errors.SkillweaveError):
    """A request without a key that holds, or an admin route without the admin key."""


class ForeignPage(errors.SkillweaveError):
    """A request that a browser may have sent for somebody else's page."""


class BudgetSpent(errors.SkillweaveError):
    """The key has used up its tokens."""


class TooBusy(errors.EngineError):
    """No place in the queue, or not in time; `retry_after_s` is a good time to ask again."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DeadlinePassed(errors.EngineError):
    """The time that a request gave has passed before an engine was free for it."""


class NotReady(errors.EngineError):
    """The engine is not there now, but is expected to be."""


class RankAboveCap(errors.AdapterRefused):
    """A sound adapter whose rank is above what the running engine was started for."""


class NoRoom(errors.SkillweaveError):
    """The place for what was sent is full."""


@dataclass(frozen=True)
class Row:
    """HTTP status, OpenAI `type` and `code` of an error class."""

    status: int
    type: str
    code: str | None = None


INVALID = "invalid_request_error"

TABLE: tuple[tuple[type[BaseException], Row], ...] = (
    (Forbidden, Row(401, INVALID, "invalid_api_key")),
    (ForeignPage, Row(403, INVALID, "foreign_page")),
    (RequestRefused, Row(400, INVALID)),
    (errors.ModelStringError, Row(400, INVALID, "invalid_model")),
    (errors.InvalidName, Row(400, INVALID, "invalid_name")),
    (errors.NotFound, Row(404, INVALID, "model_not_found")),
    (errors.Conflict, Row(409, INVALID, "conflict")),
    (errors.BaseMismatch, Row(409, INVALID, "base_mismatch")),
    (RankAboveCap, Row(409, INVALID, "rank_above_cap")),
    (errors.AdapterRefused, Row(422, INVALID, "adapter_refused")),
    (StaleRouter, Row(409, INVALID, "stale_router")),
    (RouterError, Row(422, INVALID, "router_refused")),
    (errors.SkillError, Row(422, INVALID, "skill_refused")),
    (errors.UsageError, Row(400, INVALID)),
    (NoRoom, Row(507, "api_error", "no_room")),
    (BudgetSpent, Row(429, "insufficient_quota", "insufficient_quota")),
    (TooBusy, Row(429, "rate_limit_error", "too_busy")),
    (DeadlinePassed, Row(504, "timeout_error", "deadline_passed")),
    (NotReady, Row(503, "service_unavailable_error", "engine_not_ready")),
    (errors.EngineError, Row(502, "api_error", "engine_error")),
    (errors.StoreError, Row(500, "api_error", "store_error")),
    (errors.SkillweaveError, Row(500, "api_error")),
)
UNEXPECTED = Row(500, "api_error", "internal_error")


def row_of(err: BaseException) -> Row:
    """The first row whose class fits."""
    return next((row for kind, row in TABLE if isinstance(err, kind)), UNEXPECTED)


def error_reply(err: BaseException) -> tuple[int, bytes]:
    """Status and body. What is not ours gets a fixed sentence: its text may hold anything."""
    row = row_of(err)
    ours = isinstance(err, errors.SkillweaveError)
    message = str(err) if ours else "internal error of the gateway; its log has the details"
    param = err.param if isinstance(err, RequestRefused) else None
    if isinstance(err, errors.NotFound | errors.ModelStringError):
        param = "model"
    status = err.status if isinstance(err, RequestRefused) else row.status
    return status, error_body(message, row=row, param=param)


def error_body(message: str, *, row: Row, param: str | None = None) -> bytes:
    """OpenAI's error body."""
    error = {"message": message, "type": row.type, "param": param, "code": row.code}
    return json.dumps({"error": error}).encode()


def refusal(err: errors.AdapterRefused) -> errors.AdapterRefused:
    """The same refusal; a `RankAboveCap` where nothing but the engine's cap stands against it."""
    if {problem.code for problem in err.problems} == {"rank_above_cap"}:
        return RankAboveCap(err.problems, err.subject)
    return err


def unknown_model(name: str) -> errors.NotFound:
    """The one answer for a model that does not exist and for one the caller may not use."""
    return errors.NotFound(
        f"The model `{name[:200]}` does not exist or you do not have access to it. "
        "GET /v1/models lists what is served."
    )
