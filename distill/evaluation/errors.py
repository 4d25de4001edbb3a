"""Errors of the evaluator; the root of the tree is in `adapters/errors.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...adapters.errors import SkillweaveError

if TYPE_CHECKING:
    from .types import ItemResult


class EvaluationError(SkillweaveError, ValueError):
    """An experiment that cannot be judged: arms not matched, an arm missing, a bad number."""


class TooManyFailures(EvaluationError):
    """More requests of one arm failed than a comparison can bear.

    `failures` are the failed results recorded so far, so a caller can still write them down.
    """

    def __init__(self, message: str, failures: tuple[ItemResult, ...] = ()) -> None:
        super().__init__(message)
        self.failures = failures
