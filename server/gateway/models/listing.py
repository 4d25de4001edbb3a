"""Every name that can be asked for, from the pages of the store's index.

Owns the joining of versions, aliases and texts by name, and how old a listing may be. Refuses to
own what a name means (`catalog.py`) and who may see it (`routes.py`).
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator

from ....adapters.names import DEFAULT_ALIAS
from ....adapters.store.types import Version
from .found import Found, Listed

FRESH_S = 1.0
EVIDENCE_FRESH_S = 15.0
"""The same for the form that is shown, which takes a look at every version's evidence."""
Pages = Callable[[], Iterator[tuple[Version, tuple[str, ...]]]]


class Listing:
    """Lists, and remembers the list. Reads files: call it from a thread.

    Args:
        pages: every stored version with the aliases that mean it.
        texts: ids of the skill texts that are served.
        bare: what a name alone stands for, given the version that its usual alias means.
    """

    def __init__(
        self,
        pages: Pages,
        *,
        texts: Collection[str],
        bare: Callable[[str, Version | None], Found | None],
    ) -> None:
        self._pages = pages
        self._texts = texts
        self._bare = bare
        self._all: tuple[Listed, ...] = ()
        self._expires = 0.0
        self._lock = threading.Lock()
        self._shown: dict[tuple[str, str], tuple[float, Found | None]] = {}

    def all(self) -> tuple[Listed, ...]:
        """In order of name, at most `FRESH_S` old; callers at the same time share one look."""
        with self._lock:
            if self._expires <= time.monotonic():
                self._all = self._list()
                self._expires = time.monotonic() + FRESH_S
            return self._all

    def forget(self) -> None:
        """The store has changed: look again."""
        self._expires = 0.0
        self._shown = {}

    def _list(self) -> tuple[Listed, ...]:
        versions: dict[str, dict[int, Version]] = {}
        aliases: dict[str, dict[str, int]] = {}
        for version, names in self._pages():
            versions.setdefault(str(version.id), {})[version.number] = version
            aliases.setdefault(str(version.id), {}).update(dict.fromkeys(names, version.number))
        listed, shown = [], {}
        for name in sorted({*versions, *self._texts}):
            stored, meant = versions.get(name, {}), aliases.get(name, {})
            usual = stored.get(meant.get(DEFAULT_ALIAS, 0))
            key = name, usual.version_digest if usual is not None else ""
            shown[key] = self._shown.get(key, (0.0, None))
            if shown[key][0] <= time.monotonic():
                shown[key] = time.monotonic() + EVIDENCE_FRESH_S, self._bare(name, usual)
            named = tuple(sorted(meant.items()))
            listed.append(Listed(name, shown[key][1], tuple(sorted(stored)), named))
        self._shown = shown
        return tuple(listed)
