"""What the hub answers when it says no: one class, and the constructors of the usual refusals.

Owns the codes that `huggingface_hub` turns into its own exceptions. A repository that the caller
may not see and one that does not exist give the same answer, byte for byte.
"""

from ...adapters.errors import SkillweaveError

_HEADER_CHARS = 500


class Refusal(SkillweaveError):
    """An answer other than success.

    Args:
        status: of HTTP.
        message: for people; the whole of it goes into the body.
        code: `X-Error-Code`, which the client turns into an exception of its own.
    """

    def __init__(self, status: int, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.extra: dict[str, str] = {}
        """More headers."""
        self.details: dict[str, object] = {}
        """More of the body."""

    def headers(self) -> dict[str, str]:
        """`X-Error-Code` and `X-Error-Message`; a header holds one line of plain characters."""
        first = self.message.splitlines()[0] if self.message else ""
        line = "".join(c if " " <= c <= "~" else "?" for c in first)[:_HEADER_CHARS]
        found = {**self.extra, "X-Error-Message": line}
        if self.code:
            found["X-Error-Code"] = self.code
        if self.status == 401:
            found["WWW-Authenticate"] = "Bearer"
        return found

    def body(self) -> dict[str, object]:
        """The JSON body."""
        return {"error": self.message, **self.details}


def repo_not_found(*, anonymous: bool) -> Refusal:
    """Not there, or not for this caller: 401 where a token might help, else 404."""
    if anonymous:
        return Refusal(401, "no such repository, or it needs a token", code="RepoNotFound")
    return Refusal(404, "no such repository, or not for this token", code="RepoNotFound")


def revision_not_found(revision: str) -> Refusal:
    """No such branch, tag or commit."""
    return Refusal(404, f"no revision {revision[:80]!a}", code="RevisionNotFound")


def entry_not_found(path: str) -> Refusal:
    """No such file. The sentence is one that the client looks for."""
    text = f"{path[:120]!a}: A file with this name doesn't exist"
    return Refusal(404, text, code="EntryNotFound")


def invalid_token() -> Refusal:
    """A token that is not ours, has expired, or was revoked; never says which."""
    return Refusal(401, "Invalid credentials in Authorization header")
