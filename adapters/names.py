"""The rules of names: slugs, adapter ids, aliases, version numbers. Pure.

Owns what may be called how, and the folder name of an id on disk. Refuses to own the grammar of
the `model` string (`expr.py`) and what exists (`store/store.py`).
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import Self

from .errors import InvalidName

RESERVED = frozenset({"base", "auto", "latest"})
"""Words that already mean something in a `model` string; no name, namespace or alias may be one."""

DEFAULT_ALIAS = "default"
"""What a bare name means."""

MAX_SLUG_CHARS = 64
MAX_VERSION = 999_999_999

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


def is_slug(text: str) -> bool:
    """True for 1-64 characters of a-z and 0-9, with single hyphens inside."""
    return len(text) <= MAX_SLUG_CHARS and _SLUG.fullmatch(text) is not None


def validate_name(text: str, *, what: str = "name") -> str:
    """Return `text` if it may name an adapter or a namespace.

    Raises:
        InvalidName: not a slug, or one of `RESERVED`.
    """
    if not is_slug(text):
        raise InvalidName(
            f"{what} {text!r} is not a slug: expected 1-{MAX_SLUG_CHARS} characters a-z, 0-9 and "
            f"single hyphens inside, such as {slugify(text)!r}"
        )
    if text in RESERVED:
        raise InvalidName(f"{what} {text!r} is reserved ({_reserved()}); choose another")
    return text


def validate_alias(text: str) -> str:
    """Return `text` if it may be an alias: a slug that starts with a letter and is not reserved.

    Raises:
        InvalidName: anything else.
    """
    if text in RESERVED:
        raise InvalidName(f"alias {text!r} is reserved ({_reserved()}); choose another")
    if not is_slug(text) or not text[0].isalpha():
        raise InvalidName(
            f"alias {text!r}: expected a letter first, then up to {MAX_SLUG_CHARS - 1} characters "
            "a-z, 0-9 and single hyphens, such as 'prod'"
        )
    return text


def parse_version(text: str) -> int | None:
    """The version number that `text` spells (1, 2, ... without leading zeros), or None."""
    return int(text) if _NUMBER.fullmatch(text) else None


def validate_version(number: int) -> int:
    """Return `number` if it can be a version.

    Raises:
        InvalidName: below 1 or above `MAX_VERSION`.
    """
    if not 1 <= number <= MAX_VERSION:
        raise InvalidName(f"version {number} is out of range: expected 1 to {MAX_VERSION}")
    return number


def slugify(original: str) -> str:
    """The slug of a skill's name; the original stays in the card.

    Case, accents and separators are folded. Where more than that is lost (letters of another
    script, a cut at 64 characters) eight digits of a hash are appended, so that two different
    names do not meet in one slug. An empty or reserved result gets the hash as well.
    """
    folded = unicodedata.normalize("NFKD", original).casefold()
    letters = [c for c in folded if not unicodedata.combining(c)]
    slug = re.sub(r"[^a-z0-9]+", "-", "".join(letters)).strip("-")
    lost = any(c.isalnum() and not c.isascii() for c in letters) or len(slug) > MAX_SLUG_CHARS
    if not lost and slug and slug not in RESERVED:
        return slug
    mark = hashlib.sha256(original.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    stem = slug[: MAX_SLUG_CHARS - 9].strip("-") or "skill"
    return f"{stem}-{mark}"


@dataclass(frozen=True, order=True)
class AdapterId:
    """The name of an adapter, `[namespace/]name`; versions and aliases hang below it per base.

    Raises:
        InvalidName: a part is not a slug, or is reserved.
    """

    namespace: str | None
    name: str

    def __post_init__(self) -> None:
        if self.namespace is not None:
            validate_name(self.namespace, what="namespace")
        validate_name(self.name)

    def __str__(self) -> str:
        return self.name if self.namespace is None else f"{self.namespace}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `name` or `namespace/name`.

        Raises:
            InvalidName: anything else, also more than one slash.
        """
        head, slash, tail = text.partition("/")
        return cls(head, tail) if slash else cls(None, head)

    @property
    def folder(self) -> str:
        """One path component for this id: `namespace.name` or `name` (a slug holds no dot)."""
        return self.name if self.namespace is None else f"{self.namespace}.{self.name}"

    @classmethod
    def from_folder(cls, folder: str) -> Self:
        """The inverse of `folder`.

        Raises:
            InvalidName: no id has this folder name.
        """
        head, dot, tail = folder.partition(".")
        return cls(head, tail) if dot else cls(None, head)


def _reserved() -> str:
    return ", ".join(sorted(RESERVED))
