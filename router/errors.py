"""Errors of the router; the root of the tree is in `adapters/errors.py`."""

from ..adapters.errors import SkillweaveError


class RouterError(SkillweaveError, ValueError):
    """A router that cannot be fitted, saved or loaded."""


class StaleRouter(RouterError):
    """A saved router that no longer fits: another base, or skills that changed since the fit."""
