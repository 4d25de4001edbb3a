"""Who may use the admin routes.

Owns handing the one who asks to a route. Refuses to own the judgement (`access/door.py`).
"""

from fastapi import Request

from ..access.caller import Admin
from ..access.door import Door


def admin_of(request: Request) -> Admin:
    """Who asks, for a route that records it; the router has let them in already."""
    admin = request.state.admin
    assert isinstance(admin, Admin)
    return admin


def require_admin(request: Request, key: str) -> Admin:
    """Let in who brings the server's own admin key.

    Raises:
        Forbidden, ForeignPage: as `Door.enter_admin`.
    """
    return Door(admin_key=key).enter_admin(request.scope)
