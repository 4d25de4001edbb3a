"""Where everything lies in a store, and how to enumerate it. Only reads.

    store.json                          schema of this layout, and quotas
    objects/<version_digest>/           artifacts, immutable
    blobs/<sha256>                      weight files, each once; an object's file is a hard link
    names/<id>/<base>/<n>.json          which object a version is; <n>.removed keeps a number used
    aliases/<id>/<base>/<alias>.json    which version an alias means, and its history
    attestations/<version_digest>/<n>.json   evidence, appended
    rows/<digest>.jsonl                 training rows
    bases/<family_digest>.json          module shapes of the bases we have met
    imports/<token>.json                an import that is decided and not yet named everywhere
    pending/<id>@<base>@<token>         these names are changing; the index may be behind
    index.sqlite -> index/<token>.sqlite   a cache of names/, aliases/ and cards; delete it any time
    lock, locks/                        advisory locks; their content means nothing

`<id>` is `name` or `namespace.name`. A name that starts with `.tmp-` is unfinished work and is
never enumerated.
"""

import contextlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ..errors import InvalidName
from ..names import AdapterId, is_slug, parse_version

TEMPORARY = ".tmp-"
MAX_LOOKS = 1000
"""How often a reader looks again while writers change what it looks at."""

T = TypeVar("T")


def temporary_beside(path: Path) -> Path:
    """A fresh name for unfinished work, in the folder where `path` will be."""
    return path.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")


@dataclass(frozen=True)
class Layout:
    """The paths of one store."""

    root: Path

    def object(self, version_digest: str) -> Path:
        """The folder of an artifact."""
        return self.root / "objects" / version_digest

    def blob(self, sha256: str) -> Path:
        """The weight file of this digest."""
        return self.root / "blobs" / sha256

    @property
    def config(self) -> Path:
        """`store.json`."""
        return self.root / "store.json"

    @property
    def pending(self) -> Path:
        """The folder of markers."""
        return self.root / "pending"

    @property
    def imports(self) -> Path:
        """The folder of decided imports."""
        return self.root / "imports"

    def names(self, adapter_id: AdapterId, base: str) -> Path:
        """The folder of an id's version entries."""
        return self.root / "names" / adapter_id.folder / base

    def aliases(self, adapter_id: AdapterId, base: str) -> Path:
        """The folder of an id's aliases."""
        return self.root / "aliases" / adapter_id.folder / base

    def attestations(self, version_digest: str) -> Path:
        """The folder of a version's evidence."""
        return self.root / "attestations" / version_digest

    def rows(self, digest: str) -> Path:
        """The file of a set of training rows."""
        return self.root / "rows" / f"{digest}.jsonl"

    def base(self, family_digest: str) -> Path:
        """The file of a base's identity."""
        return self.root / "bases" / f"{family_digest}.json"

    def id_lock(self, adapter_id: AdapterId, base: str) -> Path:
        """The lock on one id's numbers and aliases."""
        return self.root / "locks" / f"{adapter_id.folder}@{base}"

    def ids(self) -> list[AdapterId]:
        """Every id that has a folder, sorted; strangers' folders are left out."""
        found = []
        for name in children(self.root / "names"):
            try:
                found.append(AdapterId.from_folder(name))
            except InvalidName:
                continue
        return sorted(found, key=str)

    def bases(self, adapter_id: AdapterId) -> list[str]:
        """The base families for which an id has versions."""
        folder = self.root / "names" / adapter_id.folder
        seen = settled(lambda: [(base, children(folder / base)) for base in children(folder)])
        return [base for base, names in seen if _numbers_in(names, ".json")]

    def numbers(self, adapter_id: AdapterId, base: str) -> list[int]:
        """The version numbers that exist, ascending; all of them at one moment."""
        folder = self.names(adapter_id, base)
        return _numbers_in(settled(lambda: children(folder)), ".json")

    def used_numbers(self, adapter_id: AdapterId, base: str) -> list[int]:
        """The version numbers that exist or ever existed, ascending."""
        names = settled(lambda: children(self.names(adapter_id, base)))
        return sorted({*_numbers_in(names, ".json"), *_numbers_in(names, ".removed")})

    def alias_folders(self) -> list[tuple[AdapterId, str]]:
        """Every id and base with a folder of aliases, versions or not."""
        found = []
        for name in children(self.root / "aliases"):
            with contextlib.suppress(InvalidName):
                adapter_id = AdapterId.from_folder(name)
                found += [(adapter_id, b) for b in children(self.root / "aliases" / name)]
        return found

    def alias_names(self, adapter_id: AdapterId, base: str) -> list[str]:
        """The aliases that exist, sorted."""
        files = children(self.aliases(adapter_id, base))
        stems = [name.removesuffix(".json") for name in files if name.endswith(".json")]
        return [stem for stem in stems if is_slug(stem)]


def children(folder: Path) -> list[str]:
    """Names in a folder, sorted, without unfinished work; none where there is no folder."""
    try:
        names = [entry.name for entry in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name for name in names if not name.startswith("."))


def numbered(folder: Path, suffix: str) -> list[int]:
    """The numbers n for which `<n><suffix>` is in a folder, ascending."""
    return _numbers_in(children(folder), suffix)


def settled(look: Callable[[], T]) -> T:
    """What two looks in a row agree on, so that it was true between them.

    One look at a folder of names may miss the version that was added behind it and the one that
    was removed before it, and so see neither. A number is absent, then there, then removed, and
    never goes back: two equal looks are one moment.
    """
    seen = look()
    for _ in range(MAX_LOOKS):
        again = look()
        if again == seen:
            break
        seen = again
    return seen


def _numbers_in(names: Iterable[str], suffix: str) -> list[int]:
    stems = [n.removesuffix(suffix) for n in names if n.endswith(suffix)]
    return sorted(number for stem in stems if (number := parse_version(stem)) is not None)
