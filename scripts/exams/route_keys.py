"""Every route and every kind of key: what the answer must be.

The table says for each route who gets in. It is laid over the routes that an application has, so a
route without a line here is an error: whoever adds one decides who may use it. The test runs it
over a gateway in its own process, the exam over a whole server. Owns what is expected. Refuses to
own asking.
To add a route: a line in `RULES`. To add a kind of key: a line in `CALLERS`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["in", "no-key", "not-yours", "not-here"]
STATUS: Mapping[Outcome, tuple[int, ...]] = {
    "no-key": (401,),
    "not-yours": (404,),
    "not-here": (401, 403),
}
"""What a refusal looks like; `in` is 200 for a prompt, else all below 500 but 401, 403 and 405."""
FOREIGN = "http://evil.example"
ADMIN_HEADER = "x-skillweave-admin-key"


@dataclass(frozen=True)
class Tokens:
    """One token of each kind; `admin` is the server's own admin key.

    `scoped` may use `team/*`, `full` everything, `root` has the admin flag and reaches no model.
    """

    admin: str
    full: str
    scoped: str
    root: str
    expired: str
    revoked: str
    wrong: str


@dataclass(frozen=True)
class Caller:
    """Who asks: the kind of key, where it stands, and where the request comes from.

    `user` and `admin` say what such a caller is to a relay route and to an admin route.
    """

    name: str
    token: str = ""
    header: str = "authorization"
    elsewhere: bool = False
    more: tuple[tuple[str, str], ...] = ()
    user: Outcome = "no-key"
    admin: Outcome = "not-here"

    def headers(self, tokens: Tokens) -> dict[str, str]:
        """The headers of the request."""
        if not self.token:
            return dict(self.more)
        text = getattr(tokens, self.token)
        value = f"Bearer {text}" if self.header == "authorization" else text
        return {**dict(self.more), self.header: value}


CALLERS: tuple[Caller, ...] = (
    Caller("nobody"),
    Caller("nobody, from elsewhere", elsewhere=True),
    *(Caller(kind, kind) for kind in ("wrong", "expired", "revoked")),
    Caller("scoped", "scoped", user="not-yours"),
    Caller("full", "full", user="in"),
    Caller("full, from elsewhere", "full", elsewhere=True, user="in"),
    *(Caller(f"{k} as admin", k, ADMIN_HEADER) for k in ("full", "wrong", "expired", "revoked")),
    Caller("admin", "admin", ADMIN_HEADER, admin="in"),
    Caller("admin, from elsewhere", "admin", ADMIN_HEADER, elsewhere=True),
    Caller("admin as bearer", "admin"),
    Caller("admin, foreign page", "admin", ADMIN_HEADER, more=(("origin", FOREIGN),)),
    Caller("admin, other site", "admin", ADMIN_HEADER, more=(("sec-fetch-site", "cross-site"),)),
    Caller("admin, rebound name", "admin", ADMIN_HEADER, more=(("host", "evil.example"),)),
    Caller("root", "root", user="not-yours", admin="in"),
    Caller("root as admin", "root", ADMIN_HEADER, admin="in"),
    Caller("root, from elsewhere", "root", elsewhere=True, user="not-yours"),
    Caller("root, foreign page", "root", more=(("origin", FOREIGN),), user="not-yours"),
)

Who = Literal["everybody", "user", "lister", "admin", "reader"]
"""`user` names a model; `lister` gets a list of what is theirs; `reader` reads metrics."""

RULES: tuple[tuple[str, Who], ...] = (
    (r"/v1/(chat/completions|completions|responses)", "user"),
    (r"/(v1/)?(tokenize|detokenize)", "user"),
    (r"/v1/models", "lister"),
    (r"/v1/models/\{.*\}", "user"),
    (r"/health|/ready|/openapi.json", "everybody"),
    (r"/metrics", "reader"),
    (r"/ui|/ui/|/ui/\{name\}", "everybody"),
    (r"/ui/api/(status|skills)", "everybody"),
    (r"/ui/api/skills/\{.*\}", "everybody"),
    (r"/ui/api/(resident|live)", "admin"),
    (r"/admin/.+", "admin"),
)
"""Pattern of a whole path and who gets in; the first that fits counts.

The lists of the page are open and hold what the one who looks may use, so nothing for nobody; that
is tested by what stands in them.
"""
BODIES: Mapping[str, dict[str, object]] = {
    "/v1/chat/completions": {"model": "base", "messages": [{"role": "user", "content": "hi"}]},
    "/v1/completions": {"model": "base", "prompt": "hi"},
    "/v1/responses": {"model": "base", "input": "hi"},
    "/tokenize": {"model": "base", "prompt": "hi"},
    "/v1/tokenize": {"model": "base", "prompt": "hi"},
    "/detokenize": {"model": "base", "tokens": [1]},
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


@dataclass(frozen=True)
class Row:
    """One request and the outcome it must have."""

    method: str
    path: str
    caller: Caller
    outcome: Outcome
    body: dict[str, object] | None = None

    def holds(self, status: int) -> bool:
        """Whether an answer of this status is what must be."""
        if self.outcome == "in" and self.body is not None:
            return status == 200
        if self.outcome == "in":
            return status < 500 and status not in (401, 403, 405)
        return status in STATUS[self.outcome]


def rows(routes: Iterable[tuple[str, str]]) -> list[Row]:
    """Every caller on every route.

    Args:
        routes: method and path template (`/v1/models/{name}`) of each.

    Raises:
        LookupError: a route that no rule speaks of.
    """
    return [
        Row(method, filled(path), caller, _outcome(who_of(path), caller), BODIES.get(path))
        for method, path in routes
        for caller in CALLERS
    ]


def closed_methods(routes: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Every path with every method that it does not have: none of them may be answered."""
    known: dict[str, set[str]] = {}
    for method, path in routes:
        known.setdefault(filled(path), set()).add(method)
    return [(m, path) for path, methods in known.items() for m in METHODS if m not in methods]


def who_of(path: str) -> Who:
    """Who gets in at a path template.

    Raises:
        LookupError: no rule speaks of it.
    """
    for pattern, who in RULES:
        if re.fullmatch(pattern, path):
            return who
    raise LookupError(f"route {path} has no rule: decide in RULES who may use it")


def filled(path: str) -> str:
    """A path template with a name in each place."""
    return re.sub(r"\{[^}]*\}", "base", path)


def _outcome(who: Who, caller: Caller) -> Outcome:
    if who == "everybody":
        return "in"
    if who == "admin":
        return caller.admin
    if who == "reader":
        foreign = bool(caller.more)
        return "not-here" if caller.elsewhere or foreign else "in"
    if who == "lister" and caller.user == "not-yours":
        return "in"
    return caller.user
