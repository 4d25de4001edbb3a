"""The door of the server: from the headers of a request to somebody who may ask.

Owns recognising a key and the admin, and keeping budgets. Refuses to own what a caller may use
(`caller.py`), the keys (`key_ring.py`), limits (`judge.py`) and counting (`usage.py`). A token is
never written anywhere.
"""

import ipaddress
import secrets
from collections.abc import Mapping

from starlette.types import Scope

from ...access_settings import AccessState, Limits, is_loopback
from ..errors import BudgetSpent, Forbidden, ForeignPage
from ..relay.kinds import Kind
from .caller import ANYBODY, Admin, Caller
from .judge import Fields, judge, with_bounds
from .key_ring import KeyRing
from .keys import Key
from .origin import foreign_page
from .usage import Usage
from .usage_file import UsageFile

ADMIN_HEADER = b"x-skillweave-admin-key"
FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via"})
"""A proxy on this machine makes everybody look like this machine; these headers give it away."""
NO_KEY = (
    "this server needs a valid key: expected `Authorization: Bearer sk-sw-...`; whoever runs the "
    "server makes one with `skillweave keys create NAME`"
)
"""The one answer to no key, an unknown one, an expired one and a revoked one."""
NO_ADMIN = (
    "the admin key in x-skillweave-admin-key is missing or wrong; `skillweave serve` prints it at "
    "its start, and `skillweave keys create NAME --admin` makes others"
)


class Door:
    """Lets callers in; without keys, everybody on this machine.

    Args:
        state: where keys and usage lie, and the limits.
        admin_key: of this server; empty where nobody is the admin.
    """

    def __init__(self, state: AccessState | None = None, *, admin_key: str = "") -> None:
        self._state = state or AccessState()
        self._admin_key = admin_key.encode()
        self._ring = KeyRing(self._state.keys, required=self._state.keys_required)
        self.usage = Usage(UsageFile(self._state.usage) if self._state.usage else None)

    @property
    def keys_required(self) -> bool:
        """Whether asking takes a key."""
        return self._ring.required

    def enter(self, scope: Scope) -> Caller:
        """The caller of a request.

        Raises:
            Forbidden: keys are in use, and this request brings none that holds.
            ForeignPage: no keys are in use, and this may be a browser page of somebody else.
        """
        if not self._ring.required:
            if not self._state.allow_anybody:
                self.refuse_foreign_page(scope)
            return ANYBODY
        key = self._ring.find(_bearer(scope))
        if key is None:
            raise Forbidden(NO_KEY)
        return _caller(key)

    def enter_admin(self, scope: Scope) -> Admin:
        """Who asks for an admin route.

        Raises:
            Forbidden: it comes from elsewhere, or without an admin key.
            ForeignPage: it may be a browser page of somebody else.
        """
        here = self._refuse_elsewhere(scope)
        self.refuse_foreign_page(scope)
        given = _header(scope, ADMIN_HEADER)
        if self._admin_key and secrets.compare_digest(given, self._admin_key):
            return Admin("admin", here)
        key = self._ring.find(given.decode("latin-1") or _bearer(scope))
        if key is None or not key.admin:
            raise Forbidden(NO_ADMIN)
        return Admin(f"key:{key.id}", here)

    def enter_page(self, scope: Scope) -> None:
        """Let somebody look at what needs no key, such as the page itself.

        Raises:
            Forbidden: it comes from elsewhere.
            ForeignPage: it may be a browser page of somebody else.
        """
        self._refuse_elsewhere(scope)
        self.refuse_foreign_page(scope)

    def check(self, caller: Caller, fields: Fields) -> None:
        """Refuse a request beyond the limits of this server or of its key, before it costs.

        Raises:
            RequestRefused: too long, too many answers. BudgetSpent: the key's tokens are used up.
        """
        self._refuse_spent(caller)
        judge(fields, self._state.limits, caller.limits)

    def bounds(self, caller: Caller, fields: Fields, *, kind: Kind) -> Mapping[str, object]:
        """Fields that the gateway sets for the engine so that the limits hold."""
        return with_bounds(fields, self._state.limits, caller.limits, kind=kind)

    def charge(self, caller: Caller, name: str, *, prompt: int, completion: int) -> None:
        """Note the tokens that an answer took."""
        team = caller.team or ""
        self.usage.charge(caller.key_id, team, name, prompt=prompt, completion=completion)

    @property
    def limits(self) -> Limits:
        """What one request may ask for."""
        return self._state.limits

    def look_now(self) -> None:
        """Take on a change of the keys at once."""
        self._ring.look_now()

    async def close(self) -> None:
        """Write what was counted."""
        await self.usage.close()

    def _refuse_spent(self, caller: Caller) -> None:
        budget = caller.budget
        if budget.day_tokens is None and budget.total_tokens is None:
            return
        today, ever = self.usage.spent(caller.key_id)
        for spent, most, when in (
            (ever, budget.total_tokens, "in all; ask whoever runs the server for more"),
            (today, budget.day_tokens, "today; it begins anew at 00:00 UTC"),
        ):
            if most is not None and spent >= most:
                raise BudgetSpent(f"this key has used {spent} of its {most} tokens {when}")

    def is_here(self, scope: Scope) -> bool:
        """Whether a request comes from this machine, and from no proxy on it as far as it says."""
        forwarded = any(name in FORWARDED for name, _ in scope["headers"])
        return is_loopback(_address(scope)) and not forwarded

    def _refuse_elsewhere(self, scope: Scope) -> bool:
        """Whether a request comes from this machine; if not, it is from a network of the admin."""
        here = self.is_here(scope)
        if not here and not _within(_address(scope), self._state.admin_networks):
            raise Forbidden("admin routes answer to this machine only, and through no proxy")
        return here

    def refuse_foreign_page(self, scope: Scope) -> None:
        """Raises ForeignPage: this may be a browser page of somebody else."""
        problem = foreign_page(scope["headers"], names=self._state.server_names)
        if problem is not None:
            raise ForeignPage(f"this request was refused: {problem}")


def _address(scope: Scope) -> str:
    """Where the connection comes from, whatever headers say."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _caller(key: Key) -> Caller:
    return Caller(key.id, key.team, key.globs, key.budget, key.limits)


def _bearer(scope: Scope) -> str:
    """The token of a request; empty where it brings none, or several."""
    found = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(found) != 1:
        return ""
    scheme, _, token = bytes(found[0]).decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _header(scope: Scope, wanted: bytes) -> bytes:
    found = [bytes(value) for name, value in scope["headers"] if name == wanted]
    return found[0] if len(found) == 1 else b""


def _within(host: str, networks: tuple[str, ...]) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(network) for network in networks)
