"""Version numbers and aliases: which object a name means.

Owns the documents under `names/` and `aliases/` and their moves. The caller holds the id's lock
for every function here that writes. Refuses to own objects (`objects.py`).
"""

import difflib
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from ..digests import canonical_json
from ..errors import Conflict, NotFound, StoreError
from ..file_ops import FileOps
from ..names import DEFAULT_ALIAS, AdapterId
from .layout import Layout
from .types import AliasState, Entry
from .writes import make_folder, publish_folder, publish_numbered, replace_file, staged_folder

_MAX_HISTORY = 100
_MIN_PREFIX_CHARS = 8


def pick_base(layout: Layout, adapter_id: AdapterId, base: str | None) -> str:
    """The family digest that is meant: the given one, a unique prefix of it, or the only one.

    Raises:
        NotFound: the id, or its versions for this base, do not exist, or the base is ambiguous.
    """
    bases = layout.bases(adapter_id)
    if not bases:
        raise NotFound(
            f"no adapter {str(adapter_id)!r} in {layout.root}; {_known(layout, adapter_id)}"
        )
    if base is None and len(bases) == 1:
        return bases[0]
    if base is None:
        raise NotFound(
            f"{str(adapter_id)!r} exists for {len(bases)} bases ({', '.join(bases)}); say which"
        )
    long_enough = len(base) >= _MIN_PREFIX_CHARS
    matches = [b for b in bases if b == base or (long_enough and b.startswith(base))]
    if len(matches) != 1:
        raise NotFound(
            f"{str(adapter_id)!r} has no version for base {base}; it has for {', '.join(bases)}"
        )
    return matches[0]


def read_entry(layout: Layout, adapter_id: AdapterId, base: str, number: int) -> Entry:
    """The entry of one version.

    Raises:
        NotFound: there is no such version; the message lists those that exist.
        StoreError: the entry is damaged.
    """
    path = layout.names(adapter_id, base) / f"{number}.json"
    try:
        return Entry.model_validate_json(path.read_bytes())
    except FileNotFoundError as err:
        raise NotFound(
            f"{adapter_id} has no version {number}; versions: "
            f"{_numbers(layout.numbers(adapter_id, base))}"
        ) from err
    except (OSError, ValidationError) as err:
        raise StoreError(f"{path} is no version entry: {err}; run fsck") from err


def name_object(
    layout: Layout,
    ops: FileOps,
    adapter_id: AdapterId,
    *,
    base: str,
    entry: Entry,
    aliases: Iterable[str] = (),
    others: frozenset[int] = frozenset(),
) -> int:
    """Number an object and point aliases at it; the number it has already, if it was added before.

    Args:
        others: numbers known to mean other objects; their entries are not read.


    The first version's aliases (`default` among them) are written before its number, which makes
    all of them visible at once: there is never a version whose bare name means nothing.
    """
    existing = layout.numbers(adapter_id, base)
    wanted = {*aliases}
    if not existing:
        return _name_first(layout, ops, adapter_id, base, entry, wanted | {DEFAULT_ALIAS})
    number = _number_of(layout, adapter_id, base, entry.version_digest, others)
    if number is None:
        first = max(layout.used_numbers(adapter_id, base)) + 1
        folder = layout.names(adapter_id, base)
        number = publish_numbered(layout, ops, folder, first, _document(entry))
    else:
        make_folder(ops, layout.names(adapter_id, base), below=layout.root)
        ops.sync_folder(layout.names(adapter_id, base))
    if DEFAULT_ALIAS not in layout.alias_names(adapter_id, base):
        wanted.add(DEFAULT_ALIAS)
    for alias in sorted(wanted):
        set_alias(layout, ops, adapter_id, base=base, alias=alias, number=number)
    return number


def _name_first(
    layout: Layout,
    ops: FileOps,
    adapter_id: AdapterId,
    base: str,
    entry: Entry,
    aliases: set[str],
) -> int:
    clear_aliases(layout, ops, adapter_id, base)
    number = max(layout.used_numbers(adapter_id, base), default=0) + 1
    make_folder(ops, layout.names(adapter_id, base).parent, below=layout.root)  # see `check.py`
    for alias in sorted(aliases):
        _write_alias(layout, ops, adapter_id, base, alias, AliasState(version=number))
    folder = layout.names(adapter_id, base)
    if folder.is_dir():
        return publish_numbered(layout, ops, folder, number, _document(entry))
    with staged_folder(layout, ops, folder) as staged:  # so that an empty folder means a loss
        ops.make_folder(staged)
        ops.write(staged / f"{number}.json", [_document(entry)])
        ops.sync_folder(staged)
        if not publish_folder(ops, staged, folder):
            raise StoreError(f"{folder} appeared although this id was locked; run fsck")
    return number


def _number_of(
    layout: Layout, adapter_id: AdapterId, base: str, digest: str, others: frozenset[int]
) -> int | None:
    for number in layout.numbers(adapter_id, base):
        if number in others:
            continue
        if read_entry(layout, adapter_id, base, number).version_digest == digest:
            return number
    return None


def _document(entry: Entry) -> bytes:
    return canonical_json(entry.model_dump(mode="json"))


def remove_entry(
    layout: Layout, ops: FileOps, adapter_id: AdapterId, *, base: str, number: int
) -> None:
    """Take a version out of the listing; its number is never given again.

    Raises:
        NotFound: there is no such version.
        Conflict: an alias points at it, and it is not the last version.
    """
    read_entry(layout, adapter_id, base, number)
    holders = [
        alias for alias, at in read_aliases(layout, adapter_id, base).items() if at == number
    ]
    folder = layout.names(adapter_id, base)
    last = layout.numbers(adapter_id, base) == [number]
    if holders and not last:
        raise Conflict(
            f"{adapter_id}@{number} is what {', '.join(holders)} means; move the alias first (tag)"
        )
    ops.rename(folder / f"{number}.json", folder / f"{number}.removed")
    ops.sync_folder(folder)
    if last:
        clear_aliases(layout, ops, adapter_id, base)


def clear_aliases(layout: Layout, ops: FileOps, adapter_id: AdapterId, base: str) -> None:
    """Remove the aliases of an id that has no versions; nobody can see them."""
    folder = layout.aliases(adapter_id, base)
    names = layout.alias_names(adapter_id, base)
    for alias in names:
        ops.unlink(folder / f"{alias}.json")
    if names:
        ops.sync_folder(folder)


def read_alias(layout: Layout, adapter_id: AdapterId, base: str, alias: str) -> AliasState:
    """Where an alias points.

    Raises:
        NotFound: there is no such alias; the message lists aliases and versions.
        StoreError: its file is damaged.
    """
    path = _alias_file(layout, adapter_id, base, alias)
    try:
        return AliasState.model_validate_json(path.read_bytes())
    except FileNotFoundError as err:
        aliases = ", ".join(layout.alias_names(adapter_id, base)) or "none"
        raise NotFound(
            f"{adapter_id} has no alias {alias!r}; aliases: {aliases}; versions: "
            f"{_numbers(layout.numbers(adapter_id, base))}"
        ) from err
    except (OSError, ValidationError) as err:
        raise StoreError(f"{path} is no alias: {err}; run fsck, then tag it anew") from err


def read_aliases(layout: Layout, adapter_id: AdapterId, base: str) -> dict[str, int]:
    """Every alias of an id and the version it means."""
    found = {}
    for alias in layout.alias_names(adapter_id, base):
        try:
            found[alias] = read_alias(layout, adapter_id, base, alias).version
        except NotFound:  # removed since it was enumerated
            continue
    return found


def set_alias(
    layout: Layout,
    ops: FileOps,
    adapter_id: AdapterId,
    *,
    base: str,
    alias: str,
    number: int,
    expected: int | None = None,
) -> None:
    """Point an alias at a version and remember where it pointed.

    Raises:
        NotFound: there is no such version.
        Conflict: `expected` is given and the alias points elsewhere (0: it must not exist).
    """
    read_entry(layout, adapter_id, base, number)
    exists = alias in layout.alias_names(adapter_id, base)
    old = read_alias(layout, adapter_id, base, alias) if exists else None
    now = old.version if old else 0
    if expected is not None and now != expected:
        raise Conflict(
            f"alias {alias!r} of {adapter_id} is at {now or 'no version'}, expected "
            f"{expected or 'no version'}: somebody moved it; look again and repeat"
        )
    if now == number:  # by somebody who may have died before it was durable
        make_folder(ops, layout.aliases(adapter_id, base), below=layout.root)
        ops.sync_folder(layout.aliases(adapter_id, base))
        return
    history = (*old.history, now)[-_MAX_HISTORY:] if old else ()
    _write_alias(layout, ops, adapter_id, base, alias, AliasState(version=number, history=history))


def roll_back(layout: Layout, ops: FileOps, adapter_id: AdapterId, *, base: str, alias: str) -> int:
    """Point an alias where it pointed before; twice goes back twice. Removed versions are skipped.

    Raises:
        NotFound: there is no such alias.
        Conflict: it never pointed anywhere else.
    """
    state = read_alias(layout, adapter_id, base, alias)
    existing = set(layout.numbers(adapter_id, base))
    history = [number for number in state.history if number in existing]
    while history and history[-1] == state.version:  # what lay between was removed
        history.pop()
    if not history:
        raise Conflict(
            f"alias {alias!r} of {adapter_id} is at {state.version} and has no earlier version to "
            "go back to; use tag"
        )
    *rest, number = history
    _write_alias(
        layout, ops, adapter_id, base, alias, AliasState(version=number, history=tuple(rest))
    )
    return number


def _write_alias(
    layout: Layout, ops: FileOps, adapter_id: AdapterId, base: str, alias: str, state: AliasState
) -> None:
    data = canonical_json(state.model_dump(mode="json"))
    replace_file(layout, ops, _alias_file(layout, adapter_id, base, alias), data)


def _alias_file(layout: Layout, adapter_id: AdapterId, base: str, alias: str) -> Path:
    return layout.aliases(adapter_id, base) / f"{alias}.json"


def _numbers(numbers: Iterable[int]) -> str:
    return ", ".join(str(number) for number in numbers) or "none"


def _known(layout: Layout, adapter_id: AdapterId) -> str:
    names = [str(known) for known in layout.ids() if layout.bases(known)]
    close = difflib.get_close_matches(str(adapter_id), names, n=3)
    if close:
        return f"did you mean {', '.join(close)}?"
    shown = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    return f"it holds {shown}" if names else "the store is empty"
