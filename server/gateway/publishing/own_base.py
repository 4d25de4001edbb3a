"""What is known of the base that is served: modules and shapes, tokenizer, precision.

Asked for before anything is loaded or stored. Owns asking once: the base's own folder where it is
here, else what the store remembers of its family. Refuses to own identities (`adapters/base/`).
"""

from pathlib import Path

from ....adapters.base.identity import BaseIdentity, identify_base
from ....adapters.errors import NotFound, UsageError
from ....adapters.store.store import Store


class OwnBase:
    """The base of one server. Every method may block.

    Args:
        family: its family digest; None where the base is unknown.
        folder: where the base lies; whatever else `--base` said is no folder.
        store: what may remember it.
    """

    def __init__(self, family: str | None, *, folder: Path, store: Store | None) -> None:
        self.family = family
        self._folder = folder
        self._store = store
        self._known: dict[str, BaseIdentity] = {}

    def of(self, family: str) -> BaseIdentity | None:
        """What is known of a family; None where nothing is."""
        known = self._known.get(family) or self._ask(family)
        if known is not None:
            self._known[family] = known
        return known

    def need(self) -> BaseIdentity:
        """What is known of the base that is served.

        Raises:
            NotFound: nothing.
        """
        known = self.of(self.family) if self.family is not None else None
        if known is None:
            raise NotFound("the base of this server is not known; start it with --base FOLDER")
        return known

    def _ask(self, family: str) -> BaseIdentity | None:
        if family == self.family and self._folder.is_dir():
            try:
                own = identify_base(self._folder)
            except (UsageError, OSError):
                own = None
            if own is not None and own.family_digest == family:
                return own
        return self._store.known_base(family) if self._store is not None else None
