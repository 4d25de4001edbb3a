"""Resolving again what was resolved before, without reading: five calls of `stat`.

Owns the answers and the proof that they still hold. An answer hangs on the folder of the id, its
base folders, the alias, the entry and the object. Each is known by the time of its last change, its
inode and its size; all names are replaced by link and rename, which change them. A file that
changed less than `MARGIN_NS` before it was looked at could change again within one tick of the
clock and look the same (git calls it racily clean), so such an answer is not kept.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

from ..names import AdapterId
from .layout import Layout, children
from .types import Version

MARGIN_NS = 100_000_000
"""Ten ticks of the slowest kernel clock (100 Hz)."""

_MAX_ANSWERS = 65_536

Signature = tuple[int, int, int]
_Proof = tuple[tuple[str, Signature], ...]


def signature(path: str) -> Signature | None:
    """What changes whenever a file or the names in a folder change; None where it is not there."""
    try:
        seen = os.stat(path)
    except OSError:
        return None
    return seen.st_ctime_ns, seen.st_ino, seen.st_size


class HotRefs:
    """Answers of one process."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._answers: dict[tuple[str, str | None], tuple[Version, _Proof]] = {}

    def get(self, ref: str, base: str | None) -> Version | None:
        """The version that a reference means, if it was kept and nothing changed since."""
        kept = self._answers.get((ref, base))
        if kept is None:
            return None
        version, proof = kept
        for path, seen in proof:
            if signature(path) != seen:
                self._answers.pop((ref, base), None)  # another thread may have been here
                return None
        return version

    def keep(
        self, ref: str, base: str | None, *, alias: str | None, read: Callable[[], Version]
    ) -> Version:
        """Read the answer, and keep it where it can be proved from now on.

        Args:
            alias: the alias in `ref`, if it hangs on one.
            read: the answer from the files.
        """
        version = read()
        proof = self._proof(version, alias)
        if proof is None:
            return version
        again = read()  # what was looked at before is what this answer was read from
        if again == version:
            if len(self._answers) >= _MAX_ANSWERS:
                self._answers.clear()
            self._answers[ref, base] = version, proof
        return again

    def _proof(self, version: Version, alias: str | None) -> _Proof | None:
        names = self._layout.root / "names" / version.id.folder
        paths = [names, *(names / base for base in children(names))]
        paths += [names / version.base / f"{version.number}.json", version.path]
        if alias is not None:
            paths.append(_alias_file(self._layout, version.id, version.base, alias))
        trusted_before = time.time_ns() - MARGIN_NS
        proof = []
        for path in map(str, paths):
            seen = signature(path)
            if seen is None or seen[0] >= trusted_before:
                return None
            proof.append((path, seen))
        return tuple(proof)


def _alias_file(layout: Layout, adapter_id: AdapterId, base: str, alias: str) -> Path:
    return layout.aliases(adapter_id, base) / f"{alias}.json"
