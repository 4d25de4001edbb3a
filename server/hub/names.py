"""What a repository, a revision and a file in a repository may be called. Pure.

Nothing that a client sends becomes part of a path on disk before it went through here; contents of
files are kept by digest, so a file's name never does. Refuses to own what exists (`repo.py`).
"""

import re
from urllib.parse import quote, unquote

from .errors import Refusal

RESERVED_NAMESPACES = frozenset(
    {"api", "buckets", "datasets", "health", "kernels", "models", "spaces"}
)
DEFAULT_BRANCH = "main"
MAX_PATH_BYTES = 1024
MAX_COMPONENT_BYTES = 255

_PART = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_])?")
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,98}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FORBIDDEN_COMPONENTS = frozenset({"", ".", "..", ".git"})


def check_part(text: str, what: str) -> str:
    """Return a namespace or a repository's own name, if it may be one.

    Raises:
        Refusal: 400; anything but 1-64 of A-Z a-z 0-9 . _ - with neither `..` nor `--` inside.
    """
    wrong = not _PART.fullmatch(text) or ".." in text or "--" in text
    if wrong or text.endswith((".git", ".ipynb")):
        raise Refusal(
            400,
            f"{what} {text[:80]!r}: expected 1-64 letters, digits, '.', '_', '-', no '..' or '--', "
            "a letter or digit first, and no .git or .ipynb at the end",
        )
    return text


def check_namespace(text: str) -> str:
    """A namespace, and none of the words that the hub's own addresses begin with."""
    if text.lower() in RESERVED_NAMESPACES:
        raise Refusal(400, f"namespace {text!r} is reserved; choose another")
    return check_part(text, "namespace")


def split_repo_id(text: str) -> tuple[str, str]:
    """`namespace/name` in two.

    Raises:
        Refusal: 400; not of this form.
    """
    namespace, slash, name = text.partition("/")
    if not slash:
        raise Refusal(400, f"repository {text[:80]!r}: expected namespace/name")
    return check_namespace(namespace), check_part(name, "repository name")


def check_ref(text: str) -> str:
    """Return the name of a branch or tag, if it may be one.

    Raises:
        Refusal: 400; what git refuses, and what could be taken for a commit.
    """
    parts = text.split("/")
    odd = any(part in _FORBIDDEN_COMPONENTS or part.endswith((".", ".lock")) for part in parts)
    if not _REF.fullmatch(text) or ".." in text or odd or is_commit(text):
        raise Refusal(
            400,
            f"revision {text[:80]!r}: expected up to 99 letters, digits and . _ / + -, and no "
            "40-digit commit",
        )
    return text


def is_commit(text: str) -> bool:
    """Whether a revision is a full commit id, 40 lower-case hex digits."""
    return _COMMIT.fullmatch(text) is not None


def check_sha256(text: object) -> str:
    """Return a SHA-256 in hex, if it is one.

    Raises:
        Refusal: 400.
    """
    if not isinstance(text, str) or not _SHA256.fullmatch(text):
        raise Refusal(400, f"oid {str(text)[:80]!r}: expected a SHA-256, 64 lower-case hex digits")
    return text


def check_file_path(path: object) -> str:
    """Return the path of a file in a repository, if it may be one.

    Raises:
        Refusal: 400; absolute, upwards, empty parts, control characters, backslashes, `.git`, or
            longer than a file system could hold for the one who downloads it.
    """
    if not isinstance(path, str):
        raise Refusal(400, f"file path {path!r}: expected text")
    try:
        raw = path.encode("utf-8")
    except UnicodeEncodeError as err:
        raise Refusal(400, f"file path {path[:80]!a}: not valid Unicode") from err
    parts = path.split("/")
    odd = any(p in _FORBIDDEN_COMPONENTS or len(p.encode()) > MAX_COMPONENT_BYTES for p in parts)
    if odd or len(raw) > MAX_PATH_BYTES or "\\" in path or not path.isprintable():
        raise Refusal(
            400,
            f"file path {path[:80]!a}: expected a relative path of plain names, no '..', '.git', "
            f"backslashes or control characters, at most {MAX_PATH_BYTES} bytes",
        )
    return path


def check_text(found: object, what: str) -> str:
    """Return a text, if it is one that can be written down.

    Raises:
        Refusal: 400; no text, or with half of a character (a lone surrogate).
    """
    if not isinstance(found, str) or any("\ud800" <= c <= "\udfff" for c in found):
        raise Refusal(400, f"{what}: expected a text of valid Unicode")
    return found


def ref_file(name: str) -> str:
    """The one path component under which a branch or tag is kept."""
    return quote(name, safe="") + ".json"


def ref_of_file(file: str) -> str:
    """The inverse of `ref_file`."""
    return unquote(file.removesuffix(".json"))
