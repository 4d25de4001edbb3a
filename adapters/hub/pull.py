"""Pull an adapter from a hub into the store.

One revision, named before anything is fetched, judged from the hub's list of files, fetched,
copied as plain files, and passed through the gate before anything is visible. Evidence from
elsewhere is kept as hearsay (`imported`) unless the caller trusts it: it could otherwise open a
base, or choose the form in which an adapter is served. Refuses to own files (`files.py`) and
how the client is used (`client.py`).
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ..artifact import skill_dir_of
from ..base.identity import BaseIdentity
from ..card import CARD_FILE, Card, parse_card
from ..errors import AdapterRefused, Problem, UsageError
from ..gate.policy import GatePolicy
from ..names import AdapterId, slugify
from ..settings import load_settings
from ..store.store import Store
from ..store.types import Version
from . import files as hub_files
from .client import HubClient, Where


def pull(
    repo_id: str,
    *,
    store: Store,
    revision: str | None = None,
    name: str | None = None,
    base: BaseIdentity | None = None,
    shipped: Callable[[], BaseIdentity] | None = None,
    base_name: str = "",
    accept_base: bool = False,
    aliases: tuple[str, ...] = (),
    licence: str | None = None,
    trust_evidence: bool = False,
    where: Where | None = None,
) -> Version:
    """Fetch one revision, examine it, and store it; nothing is visible before all of it passed.

    What was fetched stays in the client's cache, so a pull that was killed goes on where it was.

    Args:
        revision: branch, tag or commit; by default the main branch.
        name: in the store; by default the repository's own name.
        base: what to examine it against; by default what the store remembers of the card's base.
            Where the repository has no card (a plain PEFT folder) it is required, and asserted.
        shipped: gives a base that is at hand; used where it is the one that the card names.
        base_name, licence: for the card of a plain PEFT folder.
        aliases: moved to the new version.
        trust_evidence: take attestations at their word, as from a hub of one's own.

    Raises:
        NotFound: no such repository or revision, or offline and not in the cache.
        AdapterRefused: the gate, the size limits, or the digests; the store is as before.
        UsageError: the base is not known here.
    """
    hub = HubClient(where)
    local = AdapterId.parse(name or slugify(repo_id.rpartition("/")[2]))
    commit = hub.resolve(repo_id, revision)
    subject = f"{repo_id}@{commit[:12]}"
    listed = [] if hub.offline else hub.listing(repo_id, commit)
    wanted = [] if hub.offline else hub_files.files_to_pull(listed, subject)
    snapshot = hub.download(repo_id, commit, listed=listed, wanted=wanted)
    cache = load_settings().cache_root
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pull-", dir=cache) as private:
        folder = Path(private) / "adapter"
        hub_files.stage(snapshot, folder, inside=hub.cache, expected=wanted)
        card = _card_of(folder, subject, local, base=base, base_name=base_name, licence=licence)
        checked = base or _known_base(store, card, subject=subject, shipped=shipped)
        problems = GatePolicy(accept_base=accept_base).check(folder, checked, card=card)
        if problems:
            raise AdapterRefused(problems, subject)
        hub_files.check_manifest(folder, subject)
        version = store.put(
            folder,
            card=card,
            name=str(local),
            skill_dir=skill_dir_of(folder),
            aliases=aliases,
            base=checked,
            accept_base=accept_base,
        )
        source = {"repo": repo_id, "commit": commit, "endpoint": hub.endpoint}
        _attest(store, version, hub_files.read_evidence(folder), source, trust=trust_evidence)
    return version


def _known_base(
    store: Store,
    card: Card,
    *,
    subject: str,
    shipped: Callable[[], BaseIdentity] | None,
) -> BaseIdentity:
    """The base that the card names: remembered by the store, or at hand."""
    wanted = card.base.family_digest
    known = store.known_base(wanted)
    if known is not None:  # its precision then is the card's business
        return replace(known, precision=card.base.precision)
    if shipped is not None and (found := shipped()).family_digest == wanted:
        return found
    raise UsageError(
        f"{subject} was made for base {wanted} ({card.base.name}), which this store has not met: "
        "give its folder with --base"
    )


def _card_of(
    folder: Path,
    subject: str,
    name: AdapterId,
    *,
    base: BaseIdentity | None,
    base_name: str,
    licence: str | None,
) -> Card:
    if (folder / CARD_FILE).is_file():
        try:
            return parse_card((folder / CARD_FILE).read_bytes())
        except (ValueError, RecursionError) as err:
            found = Problem("bad_card", f"{CARD_FILE}: {err}", "push it again from a store")
            raise AdapterRefused([found], subject) from err
    if base is None:
        raise UsageError(
            "the repository has no card.json, so nothing says what base it was made for: give the "
            "folder of that base with --base"
        )
    return Card(
        kind="skill",
        base=base.for_card(name=base_name, asserted=True),
        skill_name=name.name,
        licence=licence,
    )


def _attest(
    store: Store,
    version: Version,
    evidence: Sequence[Mapping[str, object]],
    source: Mapping[str, object],
    *,
    trust: bool,
) -> None:
    """Append what came along and where it came from; what is there already is not repeated."""
    there = store.attestations(version.version_digest)
    told = [{k: v for k, v in d.items() if k != "pulled_at"} for d in there]
    inner = [d.get("evidence") for d in there if d.get("type") == "imported"]
    for document in map(dict, evidence):
        if document in there or document in inner:
            continue
        wrapped = {"type": "imported", "from": dict(source), "evidence": document}
        store.attest(version.version_digest, document if trust else wrapped)
    provenance = {"type": "provenance", **source}
    if provenance not in told:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        store.attest(version.version_digest, {**provenance, "pulled_at": now})
