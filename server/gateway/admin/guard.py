"""Who may use the admin routes: holders of the admin key, on this machine.

Owns that one check. Refuses to own user keys (`access/`).
"""

import ipaddress
import secrets

from fastapi import Request

from ..errors import Forbidden

KEY_HEADER = "x-skillweave-admin-key"


def require_admin(request: Request, key: str) -> None:
    """Let a request pass.

    Raises:
        Forbidden: it comes from elsewhere, or without the right key.
    """
    given = request.headers.get(KEY_HEADER, "")
    host = request.client.host if request.client else ""
    if not is_loopback(host):
        raise Forbidden("admin routes answer to this machine only")
    if not secrets.compare_digest(given.encode(), key.encode()):
        raise Forbidden(
            f"the admin key in {KEY_HEADER} is missing or wrong; `skillweave serve` prints it at "
            "its start"
        )


def is_loopback(host: str) -> bool:
    """Whether an address is of this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
