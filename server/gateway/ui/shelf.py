"""Skills and versions with their evidence, as the page lists and opens them.

Owns which facts of a card a viewer gets: what speaks for a skill to whoever may ask it; how it was
made (recipe, frame, seed, data, revision) only to the admin; the name of a parent only to whoever
may use that parent. Refuses to own names and forms (`models/`), cards and attestations (the
store) and how evidence reads (`evidence.py`). Reads files: call it from a thread.
"""

from dataclasses import asdict

from ....adapters.analysis.facts import facts
from ....adapters.card import Card, Parent
from ....adapters.errors import NotFound, SkillweaveError
from ....adapters.store.store import Store
from ....adapters.store.types import Version
from ..errors import unknown_model
from ..models.found import Listed
from ..service import Service
from .evidence import Finding, finding, headline
from .viewer import Viewer

MAX_ROWS = 400
MAX_VERSIONS = 50
MAX_ATTESTATIONS = 20
MAX_CHARS = 2000
HIDDEN = "Made from adapters, not all of which this key may use."
Json = dict[str, object]


class Shelf:
    """Answers what the page asks about skills."""

    def __init__(self, service: Service) -> None:
        self._service = service
        state = service.state
        known = state.store is not None and state.family is not None
        self._store = Store(state.store, read_only=True) if known and state.store else None

    def rows(self, viewer: Viewer, *, search: str = "") -> Json:
        """One row a name: {"skills": [...], "total"}; at most `MAX_ROWS`, in order of name."""
        wanted = search.casefold().split()
        seen = [each for each in self._service.catalog.listing() if viewer.may_see(each.id)]
        rows: list[Json] = []
        for each in seen:
            about = self._about(each, viewer)
            text = f"{each.id} {about}".casefold()
            if all(word in text for word in wanted):
                rows.append(self._row(each, about))
            if len(rows) == MAX_ROWS:
                break
        return {"skills": rows, "total": len(seen)}

    def one(self, name: str, viewer: Viewer) -> Json:
        """A name with its versions, newest first.

        Raises:
            NotFound: there is none, or not for this viewer; the message is the same.
        """
        listed = next((e for e in self._service.catalog.listing() if e.id == name), None)
        if listed is None or not viewer.may_see(name):
            raise unknown_model(name)
        versions = self._versions(name)
        latest = versions[-MAX_VERSIONS:][::-1]
        return {
            **self._row(listed, self._about(listed, viewer)),
            "num_versions": len(versions),
            "history": [self._version(v, listed, viewer) for v in latest],
        }

    def _about(self, listed: Listed, viewer: Viewer) -> str:
        """The description of what stands for a name."""
        version = self._shown(listed)
        skill = listed.found.skill if listed.found is not None else None
        card = version.card if version is not None else None
        return _cut(_description(card, viewer) or (skill.description if skill else ""))

    def _row(self, listed: Listed, about: str) -> Json:
        found, version = listed.found, self._shown(listed)
        card = version.card if version is not None else None
        best = headline(self._findings(version)) if version is not None else None
        return {
            "id": listed.id,
            "form": found.form if found is not None else None,
            "version": found.version_label if found is not None else None,
            "versions": list(listed.versions),
            "aliases": dict(listed.aliases),
            "splits": self._service.publishing.splits.of(listed.id),
            "kind": card.kind if card is not None else "text",
            "description": about,
            "licence": _licence(card),
            "accuracy": None if best is None else {**asdict(best[1]), "hearsay": best[0].hearsay},
        }

    def _shown(self, listed: Listed) -> Version | None:
        """The version that stands for a name: the one that answers, else the newest."""
        if listed.found is not None and listed.found.version is not None:
            return listed.found.version
        if self._store is None or not listed.versions:
            return None
        try:
            return self._store.resolve(f"{listed.id}@{listed.versions[-1]}", base=self._family)
        except NotFound:
            return None

    def _version(self, version: Version, listed: Listed, viewer: Viewer) -> Json:
        card, found = version.card, self._findings(version)
        names = sorted(alias for alias, number in listed.aliases if number == version.number)
        seen: Json = {
            "number": version.number,
            "digest": version.version_digest,
            "created_at": version.created_at,
            "aliases": names,
            "kind": card.kind,
            "skill_name": _cut(card.skill_name),
            "description": _cut(_description(card, viewer)),
            "licence": _licence(card),
            "base": {
                "name": _cut(card.base.name or card.base.architecture),
                "precision": card.base.precision,
                "asserted": card.base.asserted,
            },
            "made_by": card.recipe.name if card.recipe is not None else None,
            "parents": [_parent(each, viewer) for each in card.parents],
            "weights": _weights(version),
            "evidence": [asdict(each) for each in found],
        }
        return {**seen, "making": _making(card)} if viewer.admin else seen

    def _findings(self, version: Version) -> list[Finding]:
        if self._store is None:
            return []
        attested = self._store.attestations(version.version_digest)
        return [finding(each) for each in attested[-MAX_ATTESTATIONS:]]

    def _versions(self, name: str) -> list[Version]:
        if self._store is None:
            return []
        try:
            return self._store.versions(name, base=self._family)
        except NotFound:
            return []

    @property
    def _family(self) -> str | None:
        return self._service.state.family


def _description(card: Card | None, viewer: Viewer) -> str:
    """That of a composition spells out its parents, so whoever may not use one is not told it."""
    if card is None:
        return ""
    names = [parent.ref.partition("@")[0] for parent in card.parents]
    return card.description if all(map(viewer.may_see, names)) else HIDDEN


def _licence(card: Card | None) -> str | None:
    return _cut(card.licence) if card is not None and card.licence else None


def _parent(parent: Parent, viewer: Viewer) -> Json:
    """A parent that the viewer may not use keeps its weight and loses its name."""
    name = parent.ref.partition("@")[0]
    known = bool(name) and viewer.may_see(name)
    return {"ref": _cut(parent.ref) if known else None, "weight": parent.weight}


def _weights(version: Version) -> Json | None:
    """Rank and size; None where the files do not read, which asking for it would tell."""
    try:
        known = facts(version)
    except (SkillweaveError, OSError):
        return None
    return {
        "rank": known.ranks[1],
        "modules": len(known.modules),
        "targets": list(known.targets),
        "parameters": known.parameters,
        "size_bytes": known.size_bytes,
        "dtypes": list(known.dtypes),
    }


def _making(card: Card) -> Json:
    """How it was made; for the admin."""
    return {
        "recipe": card.recipe.model_dump(mode="json") if card.recipe is not None else None,
        "frame": card.frame.model_dump(mode="json"),
        "seed": card.seed,
        "code_revision": card.code_revision,
        "data_digest": card.data_digest,
        "family_digest": card.base.family_digest,
    }


def _cut(text: str) -> str:
    return text[:MAX_CHARS]
