"""Errors of teachers; the root of the tree is in `adapters/errors.py`."""

from ...adapters.errors import NotFound, TeacherError


class MalformedAnswer(TeacherError):
    """No attempt gave an answer of the asked form: rejected and counted, never guessed at."""


class ReplayMiss(NotFound):
    """An offline run asked what was never recorded; the message names the key."""
