"""What can be asked for by name: versions of the store and skill texts of `--skills`, joined.

Owns the rule which form a name is served in. Refuses to own loading (`residency/`), routing
(`auto.py`) and the truth: the store is asked again at most `FRESH_S` later, so a version that
another process stored is served without a restart.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import TypeVar, cast

from pydantic import ValidationError

from ....adapters.artifact import skill_dir_of
from ....adapters.base.identity import BaseIdentity
from ....adapters.errors import NotFound, SkillError
from ....adapters.expr import Term
from ....adapters.names import AdapterId
from ....adapters.skills import Skill, read_skill
from ....adapters.store.store import Store
from ....adapters.store.types import Version
from ....router.forms import Evidence, choose_form
from ....router.types import Form
from ..errors import RequestRefused, unknown_model
from .found import Found, Listed
from .listing import Listing

V = TypeVar("V")

FRESH_S = 0.5
PAGE = 1000
MAX_CACHED = 4096
MAX_UNKNOWN = 1024
FORM_KEY = "form"
"""Key of an attestation that states outright in which form a version is to be served."""
FORMS = ("adapter", "text", "none")


class Catalog:
    """Names to answers. All methods read files and may block: call them from a thread.

    Args:
        store: None for a server without a store.
        family: family digest of the base; None where the base is unknown, then no adapter fits.
        skills: texts by id.
    """

    def __init__(
        self, store: Store | None, *, family: str | None, skills: dict[str, Skill]
    ) -> None:
        self._store = store if family is not None else None
        self._family = family
        self._skills = skills
        self._listing = Listing(self._pages, texts=skills, bare=self._bare)
        self._cache: OrderedDict[Term, tuple[float, Found]] = OrderedDict()
        self._unknown: OrderedDict[Term, float] = OrderedDict()
        self._changes = 0
        self._remembering = threading.Lock()

    def cached(self, term: Term) -> Found | None:
        """A fresh answer from memory, never blocking; None where `find` must be asked.

        Raises:
            NotFound: nothing had this name just now.
        """
        now = time.monotonic()
        if self._unknown and self._unknown.get(term, 0.0) > now:
            raise unknown_model(str(term.id))
        expires, found = self._cache.get(term, (0.0, None))
        return found if expires > now else None

    def forget(self) -> None:
        """The store has just changed: look at it again."""
        with self._remembering:
            self._changes += 1
            self._cache.clear()
            self._unknown.clear()
        self._listing.forget()

    def find(self, term: Term) -> Found:
        """What a term of a `model` string stands for.

        Raises:
            NotFound: nothing; the message is the same for every unknown name.
        """
        changes = self._changes
        try:
            found = self._decide(term)
        except NotFound:
            self._remember(self._unknown, term, time.monotonic() + FRESH_S, changes, MAX_UNKNOWN)
            raise
        found.template_arguments  # noqa: B018  # read from disk now, while nobody waits for the loop
        fresh = (time.monotonic() + FRESH_S, found)
        self._remember(self._cache, term, fresh, changes, MAX_CACHED)
        return found

    def _remember(
        self, memory: OrderedDict[Term, V], term: Term, value: V, changes: int, most: int
    ) -> None:
        """Keep an answer, unless the store has changed since it was looked up."""
        with self._remembering:
            if changes != self._changes:
                return
            memory.pop(term, None)
            memory[term] = value
            while len(memory) > most:
                memory.popitem(last=False)

    def version(self, ref: str) -> Version:
        """A stored version by reference.

        Raises:
            NotFound: there is none for this base.
        """
        return self._need_store().resolve(ref, base=self._family)

    def version_by_digest(self, digest: str) -> Version:
        """A stored version by its version digest.

        Raises:
            NotFound: there is none for this base.
        """
        for version, _ in self._pages():
            if version.version_digest == digest:
                return version
        raise NotFound(f"no version with digest {digest!r} is stored for this base")

    def base_of(self, family: str) -> BaseIdentity | None:
        """Modules and shapes of a base family; None where the store never met it."""
        return self._need_store().known_base(family)

    def move(self, version: Version, alias: str, expected: int | None) -> None:
        """Point an alias at a version.

        Raises:
            Conflict: it was not at `expected`.
            InvalidName: no alias can be called so.
        """
        name, base = str(version.id), self._family
        self._need_store().tag(name, alias, version.number, base=base, expected=expected)
        self.forget()

    def roll_back(self, name: str, alias: str) -> Version:
        """Point an alias where it pointed before; returns that version.

        Raises:
            NotFound: no such name or alias.
            Conflict: it never pointed anywhere else.
        """
        version = self._need_store().rollback(name, base=self._family, alias=alias)
        self.forget()
        return version

    def is_pointed_at(self, version: Version) -> bool:
        """Whether any alias means this version."""
        aliases = self._need_store().aliases(str(version.id), base=self._family)
        return version.number in aliases.values()

    def _need_store(self) -> Store:
        if self._store is None:
            raise NotFound("this server knows no store for its base; start it with --base FOLDER")
        return self._store

    def listing(self) -> tuple[Listed, ...]:
        """Every id that can be asked for, in order of name; see `listing.py` for its age."""
        return self._listing.all()

    def _bare(self, name: str, version: Version | None) -> Found | None:
        """What the name alone stands for; None where it cannot be asked for bare."""
        try:
            return self._form_of(Term(AdapterId.parse(name)), version)
        except (NotFound, RequestRefused):
            return None

    def _pages(self) -> Iterator[tuple[Version, tuple[str, ...]]]:
        """Every stored version with the aliases that mean it, from the store's index."""
        after: str | None = None
        while self._store is not None:
            page = self._store.page(after=after, limit=PAGE, base=self._family)
            yield from zip(page.versions, page.aliases, strict=True)
            after = page.next
            if after is None:
                return

    def _decide(self, term: Term) -> Found:
        return self._form_of(term, self._stored(term))

    def _form_of(self, term: Term, version: Version | None) -> Found:
        """In which form a term is served, whose stored version is known already."""
        name = str(term.id)
        pinned = term.version is not None or term.alias is not None
        loose = None if pinned else self._skills.get(name)
        if version is None and (loose is None or term.form == "adapter"):
            raise unknown_model(name)
        form = term.form or (self._evidence(version) if version is not None else "text")
        if form != "text":
            return Found(name, form, version)
        skill = loose or _own_text(version)
        if skill is None:
            raise RequestRefused(
                f"{term.ref} has no skill text: its version was stored without one; start the "
                "server with --skills DIR, or ask for it without ':text'",
                param="model",
            )
        return Found(name, "text", None if loose is not None else version, skill)

    def _stored(self, term: Term) -> Version | None:
        if self._store is None:
            return None
        try:
            return self._store.resolve(term.ref, base=self._family)
        except NotFound:
            return None

    def _evidence(self, version: Version) -> Form:
        """What was attested last; an adapter without evidence is served as what it is."""
        assert self._store is not None
        attested = self._store.attestations(version.version_digest)
        form = next((a[FORM_KEY] for a in reversed(attested) if a.get(FORM_KEY) in FORMS), None)
        if form is not None:
            return cast(Form, form)
        measured = [e for e in map(_as_evidence, attested) if e and e.base == version.base]
        if not measured:
            return "adapter"
        has_text = skill_dir_of(version.path) is not None
        return choose_form(measured, base=version.base, has_adapter=True, has_text=has_text).form


def _as_evidence(attested: dict[str, object]) -> Evidence | None:
    try:
        return Evidence.model_validate(attested) if "type" in attested else None
    except ValidationError:  # evidence of another kind
        return None


def _own_text(version: Version | None) -> Skill | None:
    """The skill that was stored with a version."""
    folder = skill_dir_of(version.path) if version is not None else None
    if folder is None:
        return None
    try:
        return read_skill(folder)[0]
    except SkillError:
        return None
