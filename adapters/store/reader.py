"""Reading a store: what a reference means and what there is. Takes no lock, writes nothing.

Owns `Version` values and the cache of cards (objects are immutable, so a card never goes stale).
Refuses to own changes (`store.py`) and listings (`listing.py`).
"""

import logging
from collections.abc import Iterator
from functools import partial

from pydantic import ValidationError

from ..artifact import read_card
from ..card import Card
from ..errors import NotFound, StoreError
from ..expr import Term, parse_ref
from ..names import DEFAULT_ALIAS, AdapterId
from .hot import HotRefs
from .layout import MAX_LOOKS, Layout
from .names import pick_base, read_alias, read_entry
from .types import Version

_LOG = logging.getLogger(__name__)


class Reader:
    """Answers questions about the store below `layout`."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._cards: dict[str, Card] = {}
        self._hot = HotRefs(layout)

    def locate(self, name: str, base: str | None) -> tuple[AdapterId, str]:
        """The id and base family that a name means.

        Raises:
            InvalidName: no name. NotFound: no such name, or none for this base.
        """
        adapter_id = AdapterId.parse(name)
        return adapter_id, pick_base(self._layout, adapter_id, base)

    def card(self, version_digest: str, copy: str | None = None) -> Card:
        """The card of an object, from memory where it was read before.

        Args:
            copy: the index's JSON of it; where it does not read, the object itself is asked.

        Raises:
            StoreError: the object is damaged.
        """
        card = self._cards.get(version_digest)
        if card is None:
            card = self._cards[version_digest] = self._read_card(version_digest, copy)
        return card

    def _read_card(self, version_digest: str, copy: str | None) -> Card:
        if copy is not None:
            try:
                return Card.model_validate_json(copy)
            except ValidationError as err:
                _LOG.warning("the index's card of %s does not read: %s", version_digest, err)
        return read_card(self._layout.object(version_digest))

    def resolve(self, ref: str, base: str | None) -> Version:
        """The version that a reference means; see `Store.resolve`."""
        hot = self._hot.get(ref, base)
        if hot is not None:
            return hot
        term = parse_ref(ref)
        alias = None
        if term.version is None and term.alias != "latest":
            alias = term.alias or DEFAULT_ALIAS
        return self._hot.keep(ref, base, alias=alias, read=lambda: self._resolve(term, base))

    def _resolve(self, term: Term, base: str | None) -> Version:
        """From the files; looks again while the reference moves between two looks."""
        family = pick_base(self._layout, term.id, base)
        number = self._number(term, family)
        for _ in range(MAX_LOOKS):
            try:
                return self.version(term.id, family, number)
            except NotFound:
                family, before = pick_base(self._layout, term.id, base), (family, number)
                number = self._number(term, family)
                if (family, number) == before:
                    raise
        return self.version(term.id, family, number)

    def _number(self, term: Term, family: str) -> int:
        if term.version is not None:
            return term.version
        if term.alias != "latest":
            alias = term.alias or DEFAULT_ALIAS
            return read_alias(self._layout, term.id, family, alias).version
        numbers = self._layout.numbers(term.id, family)
        if not numbers:
            raise NotFound(f"{term.id} has no versions any more for base {family}")
        return numbers[-1]

    def version(self, adapter_id: AdapterId, family: str, number: int) -> Version:
        """One version.

        Raises:
            NotFound: there is no such version. StoreError: its entry or its object is damaged.
        """
        entry = read_entry(self._layout, adapter_id, family, number)
        path = self._layout.object(entry.version_digest)
        if entry.version_digest not in self._cards or not path.is_dir():
            try:
                self._cards[entry.version_digest] = read_card(path)
            except StoreError:  # removed and collected since? then that is what to say
                read_entry(self._layout, adapter_id, family, number)
                raise
        return Version(
            id=adapter_id,
            base=family,
            number=number,
            version_digest=entry.version_digest,
            weights_digest=entry.weights_digest,
            objects=path.parent,
            created_at=entry.created_at,
            read_card=partial(self.card, entry.version_digest),
        )

    def versions(self, adapter_id: AdapterId, family: str) -> Iterator[Version]:
        """All sound versions of an id, ascending; a damaged one is logged and left out."""
        found, vanished = self._versions(adapter_id, family)
        for _ in range(MAX_LOOKS):
            if not vanished:
                break
            found, vanished = self._versions(adapter_id, family)
        yield from found

    def _versions(self, adapter_id: AdapterId, family: str) -> tuple[list[Version], bool]:
        """What is there, and whether something went away while we looked."""
        found, vanished = [], False
        for number in self._layout.numbers(adapter_id, family):
            try:
                found.append(self.version(adapter_id, family, number))
            except NotFound:
                vanished = True
            except StoreError as err:
                _LOG.warning("%s@%d is left out of the listing: %s", adapter_id, number, err)
        return found, vanished
