"""Who asks, what they may see, and what they may change.

One rule each: a private repository is for tokens that cover its namespace; a public one for every
valid token, and for everybody where the hub was started with `--public-read`; changes need a token
that covers the namespace and may write. Upload addresses carry a signature in place of a token,
because clients send none with the bytes.
"""

import hashlib
import hmac
import time
from dataclasses import dataclass

from .errors import Refusal, invalid_token, repo_not_found
from .tokens import Token, Tokens


@dataclass(frozen=True)
class Caller:
    """Somebody with a token, or nobody."""

    token: Token | None

    @property
    def name(self) -> str:
        """For the author of a commit."""
        return self.token.name if self.token else "anonymous"

    def sees(self, namespace: str, *, private: bool, public_read: bool) -> bool:
        """Whether a repository exists, as far as the caller can tell."""
        if self.token is None:
            return public_read and not private
        return not private or self.token.covers(namespace)

    def require_write(self, namespace: str) -> Token:
        """The token, if it may change something here. Ask only about what the caller sees.

        Raises:
            Refusal: 401 without a token, 403 with one that may not.
        """
        if self.token is None:
            raise repo_not_found(anonymous=True)
        if not self.token.write:
            raise Refusal(403, f"token {self.token.name!r} may only read")
        if not self.token.covers(namespace):
            reach = ", ".join(self.token.namespaces)
            raise Refusal(
                403, f"token {self.token.name!r} may write to {reach}, not to {namespace!r}"
            )
        return self.token


def caller_of(authorization: str | None, tokens: Tokens) -> Caller:
    """Who sends this `Authorization` header.

    Raises:
        Refusal: 401; there is one, and it does not hold a valid token.
    """
    if authorization is None:
        return Caller(None)
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise invalid_token()
    return Caller(tokens.find(text.strip()))


@dataclass(frozen=True)
class Grant:
    """The right to upload one content to one repository, for a while.

    `repo_id` and `uid` name the repository: a signed address leads to no other one, whatever has
    been moved since or made under the same name.
    """

    repo_id: str
    uid: str
    sha256: str
    size: int
    token_id: str
    expires: int

    def sign(self, key: bytes) -> str:
        """The signature in the upload's address."""
        parts = (self.repo_id, self.uid, self.sha256, self.size, self.token_id, self.expires)
        text = "\n".join(map(str, parts))
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    def check(self, signature: str, key: bytes) -> None:
        """Raises Refusal: 403; not signed by this hub for exactly this, or too late."""
        same = hmac.compare_digest(self.sign(key).encode(), signature.encode())
        if not same or time.time() > self.expires:
            raise upload_refused()


def upload_refused() -> Refusal:
    """The one answer to every upload address that leads nowhere."""
    return Refusal(403, "this upload address is not valid, or no longer; begin again")
