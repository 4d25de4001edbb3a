"""Every error class has a status and OpenAI's body; what is not ours says nothing of itself."""

import json

import pytest
from skillweave.adapters import errors
from skillweave.server.gateway.errors import (
    Forbidden,
    NotReady,
    RequestRefused,
    error_reply,
    unknown_model,
)

PROBLEM = errors.Problem("code", "message", "remedy")


@pytest.mark.parametrize(
    ("err", "status", "code"),
    [
        (RequestRefused("x"), 400, None),
        (RequestRefused("x", status=415), 415, None),
        (errors.ModelStringError("x"), 400, "invalid_model"),
        (unknown_model("x"), 404, "model_not_found"),
        (Forbidden("x"), 401, "invalid_api_key"),
        (errors.Conflict("x"), 409, "conflict"),
        (errors.AdapterRefused([PROBLEM]), 422, "adapter_refused"),
        (errors.UsageError("x"), 400, None),
        (NotReady("x"), 503, "engine_not_ready"),
        (errors.EngineError("x"), 502, "engine_error"),
        (errors.StoreError("x"), 500, "store_error"),
        (errors.TeacherError("x"), 500, None),
        (ZeroDivisionError("secret"), 500, "internal_error"),
    ],
)
def test_table(err: Exception, status: int, code: str | None) -> None:
    got, body = error_reply(err)
    error = json.loads(body)["error"]
    assert got == status
    assert error["code"] == code
    assert set(error) == {"message", "type", "param", "code"}


def test_foreign_errors_do_not_leak() -> None:
    assert b"secret" not in error_reply(ZeroDivisionError("secret"))[1]


def test_every_class_of_ours_has_a_row() -> None:
    for name in vars(errors):
        kind = getattr(errors, name)
        if isinstance(kind, type) and issubclass(kind, errors.SkillweaveError):
            err = kind([PROBLEM]) if kind is errors.AdapterRefused else kind("x")
            assert 400 <= error_reply(err)[0] < 600
