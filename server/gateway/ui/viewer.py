"""Who looks at the page: the keys that a request brings, and what they open.

Owns three answers: whether a user key holds, whether the admin key does, and which skills may be
seen. A holder of the admin key sees everything; a holder of a user key what the key may ask; on a
server without keys everybody what `/v1/models` shows. Refuses to own keys (`access/`) and the
admin's (`admin/guard.py`).
"""

from contextlib import suppress
from dataclasses import dataclass

from fastapi import Request

from ..access.caller import ANYBODY, Caller
from ..errors import Forbidden, ForeignPage
from ..service import Service


@dataclass(frozen=True)
class Viewer:
    """`caller` is None where keys are in use and none was brought that holds."""

    caller: Caller | None
    admin: bool

    def may_see(self, name: str) -> bool:
        """Whether a skill exists for this viewer."""
        return self.admin or (self.caller is not None and self.caller.may(name))

    def document(self) -> dict[str, object]:
        """Who the page is talking as; no secret."""
        named = self.caller is not None and self.caller != ANYBODY
        return {
            "may_ask": self.caller is not None,
            "key": self.caller.key_id if self.caller is not None and named else None,
            "team": self.caller.team if self.caller is not None else None,
            "admin": self.admin,
        }


def viewer_of(request: Request, service: Service) -> Viewer:
    """The viewer of a request.

    Raises:
        ForeignPage: this may be a browser page of somebody else.
    """
    caller: Caller | None = None
    with suppress(Forbidden):
        caller = service.door.enter(request.scope)
    try:
        service.door.enter_admin(request.scope)
    except (Forbidden, ForeignPage):
        return Viewer(caller, admin=False)
    return Viewer(caller, admin=True)
