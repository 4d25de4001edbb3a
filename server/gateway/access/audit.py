"""The record of what was changed on a server and its store: who, when, what, with which result.

One line of JSON per entry, appended and on the disk before the change is answered. Each entry
holds the hash of the one before it, so that a line that was changed or taken out shows; a note
beside the log (`.head`) holds the last entry, so that a cut end shows as well. That catches
accidents and quiet edits; whoever may write both files can forge both: note `audit verify`'s head
elsewhere, or ship the log away.
Owns the file and its chain. Refuses to own what is worth an entry, and secrets: what looks like a
token is struck out.
"""

import asyncio
import errno
import fcntl
import json
import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from ....adapters.digests import canonical_json, sha256_hex
from ....adapters.errors import SkillweaveError, StoreError
from ..errors import NoRoom
from .files import make_private_folder, replace_private

Fact = str | int | float | bool | None
NOTHING = "0" * 64
"""The hash before the first entry."""
MAX_FACT_CHARS = 500
MAX_FACTS = 16
MAX_NUMBER = 2**63
_MAX_LINE_BYTES = 65_536
_TOKEN = re.compile(r"(sk-sw-[0-9a-f]{4})[A-Za-z0-9_-]*|(swh_[0-9a-f]{4})[A-Za-z0-9_-]*")


@dataclass
class Act:
    """A change on its way; what becomes known while it is made goes into `facts`."""

    facts: dict[str, Fact] = field(default_factory=dict)


class Audit:
    """Appends to one log; any number of processes may.

    Args:
        path: the file; None records nothing (a gateway without a store).
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def record(self, action: str, *, who: str, result: str = "ok", **facts: Fact) -> None:
        """Write one entry and wait until the disk has it.

        Args:
            action: `publish`, `alias`, `key-create`, ...
            who: `admin`, `key:<id>` or `cli:<user>`; never a secret.
            result: `ok`, or the name of the error class.

        Raises:
            NoRoom: the disk is full. StoreError: it is unwilling.
        """
        self.record_all(action, who=who, result=result, facts=facts)

    @asynccontextmanager
    async def during(self, action: str, *, who: str, **facts: Fact) -> AsyncIterator[Act]:
        """Record how the body ended: `ok`, or the class of its error, which goes on its way.

        Raises:
            StoreError: as `record`; where the body was done, it stays done.
        """
        act = Act(dict(facts))
        result = "failed"
        try:
            yield act
            result = "ok"
        except SkillweaveError as err:
            result = type(err).__name__
            raise
        finally:
            write = partial(self.record_all, action, who=who, result=result, facts=dict(act.facts))
            await asyncio.to_thread(write)

    def last(self, count: int) -> list[dict[str, object]]:
        """The newest entries, oldest of them first."""
        if self._path is None or not self._path.is_file() or count < 1:
            return []
        with self._path.open("rb") as source:
            size = source.seek(0, os.SEEK_END)
            source.seek(max(0, size - count * _MAX_LINE_BYTES))
            lines = source.read().splitlines()[-count:]
        return [entry for line in lines if (entry := _parse(line)) is not None]

    def record_all(self, action: str, *, who: str, result: str, facts: Mapping[str, Fact]) -> None:
        """As `record`, with the facts in one value."""
        if self._path is None:
            return
        try:
            with _open_alone(self._path) as handle:
                _append(self._path, handle, _entry(action, who, result, facts))
        except OSError as err:
            if err.errno == errno.ENOSPC:
                raise NoRoom(
                    f"the disk of the audit log is full: `{action}` by {who} (result {result}) is "
                    "not in it. Make room and ask again"
                ) from err
            raise StoreError(
                f"the audit log {self._path} cannot be written: {err}; `{action}` by {who} "
                f"(result {result}) is not in it. Check free space and permissions"
            ) from err


@dataclass(frozen=True)
class Verified:
    """What reading the whole log has shown. `head` is the hash of its last entry."""

    entries: int
    head: str
    problems: tuple[str, ...]


def verify(path: Path, *, head: str | None = None) -> Verified:
    """Follow the chain from the first entry to the last.

    Args:
        head: the hash of an entry, noted elsewhere; it must be in the log.

    Raises:
        StoreError: there is no log.
    """
    try:
        whole, _, _ = path.read_bytes().rpartition(b"\n")  # a torn end was never acknowledged
    except FileNotFoundError as err:
        raise StoreError(f"there is no audit log at {path}") from err
    lines = whole.splitlines()
    problems: list[str] = []
    before, number = NOTHING, 0
    for number, line in enumerate(lines, start=1):
        entry = _parse(line)
        if entry is None:
            problems.append(f"line {number} is no entry")
            continue
        if entry.get("prev") != before:
            problems.append(f"line {number} does not follow the line before it")
        before = str(entry.get("hash"))
        if _hash_of(entry) != before:
            problems.append(f"line {number} was changed")
    known = _hashes(lines)
    for noted in (_noted(path), head):
        if noted is not None and noted not in known:
            problems.append(
                f"the end is missing: entry {noted[:12]}, which was noted, is not there"
            )
    return Verified(number, before, tuple(problems))


def _entry(action: str, who: str, result: str, facts: Mapping[str, Fact]) -> dict[str, object]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "who": _clean(who),
        "action": action,
        "result": result,
        "facts": {
            name: _clean(value) for name, value in [*facts.items()][:MAX_FACTS] if value is not None
        },
    }


def _clean(value: Fact) -> Fact:
    """A fact without control characters, of bounded length, with tokens struck out."""
    if isinstance(value, float | int) and not -MAX_NUMBER <= value <= MAX_NUMBER:
        return "no number"  # NaN and infinity are no JSON, and a number may have many digits
    if not isinstance(value, str):
        return value
    plain = "".join(c if c.isprintable() else "?" for c in value[:MAX_FACT_CHARS])
    return _TOKEN.sub(lambda m: f"{m[1] or m[2]}...", plain)


@contextmanager
def _open_alone(path: Path) -> Iterator[int]:
    """The log, open for appending, while nobody else appends."""
    make_private_folder(path.parent)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def _append(path: Path, handle: int, entry: dict[str, object]) -> None:
    before, torn = _last_hash(handle)
    body = {**entry, "prev": before}
    if torn:  # a writer died in the middle of a line that nobody was told about
        os.ftruncate(handle, os.fstat(handle).st_size - torn)
        facts = entry["facts"]
        assert isinstance(facts, dict)
        body["facts"] = {**facts, "torn_bytes_before": torn}
    whole = {**body, "hash": _hash_of(body)}
    data = canonical_json(whole) + b"\n"
    if os.write(handle, data) != len(data):
        raise OSError("only a part of the entry could be written")
    os.fsync(handle)
    replace_private(_head(path), str(whole["hash"]).encode(), durable=False)


def _last_hash(handle: int) -> tuple[str, int]:
    """The hash of the last whole line, and how many bytes of an unfinished one follow it."""
    size = os.fstat(handle).st_size
    start = max(0, size - _MAX_LINE_BYTES)
    tail = os.pread(handle, size - start, start)
    whole, _, torn = tail.rpartition(b"\n")
    last = _parse(whole.rpartition(b"\n")[2]) if whole else None
    return (str(last["hash"]) if last is not None else NOTHING), len(torn)


def _hash_of(entry: dict[str, object]) -> str:
    return sha256_hex(canonical_json({k: v for k, v in entry.items() if k != "hash"}))


def _parse(line: bytes) -> dict[str, object] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and isinstance(entry.get("hash"), str) else None


def _hashes(lines: list[bytes]) -> set[str]:
    return {str(entry["hash"]) for line in lines if (entry := _parse(line)) is not None}


def _head(path: Path) -> Path:
    return path.with_name(f"{path.name}.head")


def _noted(path: Path) -> str | None:
    try:
        return _head(path).read_text().strip() or None
    except FileNotFoundError:
        return None
