"""The door of the relay routes: from the headers of a request to a caller.

Owns recognising a key. Refuses to own what a caller may use (`caller.py`).
"""

from collections.abc import Mapping

from starlette.types import Scope

from .caller import ANYBODY, Caller


class Door:
    """Lets callers in; without keys, everybody."""

    def enter(self, scope: Scope) -> Caller:
        """The caller of a request.

        Raises:
            Forbidden: keys are in use, and this request brings none that holds.
        """
        return ANYBODY

    def check(self, caller: Caller, fields: Mapping[str, object]) -> None:
        """Refuse a request beyond the limits of this server or of its key, before it costs.

        Raises:
            RequestRefused: too long, too many answers. BudgetSpent: the key's tokens are used up.
        """

    def charge(self, caller: Caller, name: str, *, prompt: int, completion: int) -> None:
        """Note the tokens that an answer took."""
