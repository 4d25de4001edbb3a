"""What a version was made of, as far as its licence goes: its own parts and those of its parents.

Read from cards and attestations in the store, and from what the publisher states. A card names its
parents by digest; each of them is looked up in turn, so that a composition needs the licences that
its parts need, their teachers' too. Evidence that came along with a pull counts here: hearsay may
make a licence stricter, never looser. Owns the walk. Refuses to own what follows (`licences.py`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..artifact import read_card, skill_dir_of
from ..card import Card, Parent
from ..errors import SkillError, UsageError
from ..licences import Source, identifier
from ..skills import read_skill
from ..store.layout import Layout
from ..store.store import Store
from ..store.types import Version

_SELF_TAUGHT = frozenset({"base", "None", ""})
_MAX_WRAPPED = 32


@dataclass(frozen=True)
class Stated:
    """What the publisher says of the parts; None where nothing is said."""

    skill: str | None = None
    base: str | None = None
    teacher: str | None = None


def sources_of(
    store: Store, version: Version, *, stated: Stated, base_licence: str | None = None
) -> list[Source]:
    """Everything that a version was made of, each with its licence where that is known.

    Args:
        stated: fills in what is not known; it takes the place of nothing that is.
        base_licence: of the base, where it is known.

    Raises:
        UsageError: what is stated contradicts what is known.
    """
    makings = list(_walk(store, version))
    skills = [Source(part.what, part.licence) for part in makings if part.is_skill]
    found = _filled(skills, stated.skill, option="--skill-licence")
    base = [Source("base", base_licence)]
    found += _filled(base, stated.base, option="--base-licence")
    teachers = sorted({name for part in makings for name in part.teachers})
    if teachers or stated.teacher is not None:
        names = ", ".join(teachers)
        remedy = f"{names} answered; state it (--teacher-licence)"
        found.append(Source("teacher", stated.teacher, remedy))
    for part in makings:
        if part.missing is not None:
            remedy = (
                "it is not in this store, so nothing says what it was made of: pull or import it "
                "first"
            )
            found.append(Source(part.what, None, remedy))
    return found


@dataclass(frozen=True)
class _Part:
    """One adapter on the way up; `missing` is the digest of one that is not here."""

    what: str
    licence: str | None = None
    is_skill: bool = False
    teachers: frozenset[str] = frozenset()
    missing: str | None = None


def _walk(store: Store, version: Version) -> Iterator[_Part]:
    """A version and all that it descends from, each once."""
    layout = Layout(store.root)
    yield _part("skill", version.card, version.path, store.attestations(version.version_digest))
    seen = {version.version_digest}
    waiting: list[Parent] = list(version.card.parents)
    while waiting:
        parent = waiting.pop()
        digest = parent.version_digest
        if digest in seen:
            continue
        seen.add(digest)
        what = f"parent {parent.ref or digest[:12]}"
        path = layout.object(digest)
        if not path.is_dir():
            yield _Part(what, missing=digest)
            continue
        card = read_card(path)
        yield _part(f"skill of the {what}", card, path, store.attestations(digest))
        waiting += card.parents


def _part(what: str, card: Card, path: Path, evidence: Sequence[Mapping[str, object]]) -> _Part:
    licence = card.licence or _skill_licence(path)
    # What has parents has no text of its own to be licensed, unless it says so.
    own = licence is not None or not card.parents
    return _Part(what, licence, own, frozenset(_teachers(card, evidence)))


def _teachers(card: Card, evidence: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """Who answered, by the recipe and by every training that is attested."""
    told = [] if card.recipe is None else [card.recipe.config.get("teacher")]
    for document in map(_unwrapped, evidence):
        if document.get("type") == "training":
            told.append(str(document.get("teacher")))
    yield from (str(name) for name in told if str(name) not in _SELF_TAUGHT)


def _unwrapped(document: Mapping[str, object]) -> Mapping[str, object]:
    """What was said at first, however often it was pulled since."""
    for _ in range(_MAX_WRAPPED):
        inner = document.get("evidence")
        if document.get("type") != "imported" or not isinstance(inner, dict):
            break
        document = inner
    return document


def _filled(known: Sequence[Source], stated: str | None, *, option: str) -> list[Source]:
    """The known licences, and the stated one for what is not known."""
    if stated is None:
        return [Source(s.what, s.licence, f"state it ({option})") for s in known]
    clash = [s for s in known if s.licence and identifier(s.licence) != identifier(stated)]
    if clash and all(s.licence for s in known):
        raise UsageError(
            f"{option} {stated}: the {clash[0].what} is under {clash[0].licence}, which is known; "
            "leave the option out. A stricter licence of the whole is said by --licence"
        )
    return [Source(s.what, s.licence or stated) for s in known]


def _skill_licence(path: Path) -> str | None:
    folder = skill_dir_of(path)
    try:
        return read_skill(folder)[0].license if folder else None
    except SkillError:
        return None
