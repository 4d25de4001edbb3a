"""A bank on disk: one ledger, and beside it the active skills as plain folders.

    BANK/ledger.jsonl        the truth: one event a line, texts included
    BANK/skills/NAME/        the active version as any Agent Skills client reads it
    BANK/.lock               held by the one writer

Owns opening, the single writer, and keeping the folders true to the ledger. Folders are brought up
to date by `sync` and when the writer closes; a folder that somebody edited by hand is never
overwritten. Refuses to own what an event means (`state.py`).
"""

import os
import secrets
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from ...adapters.errors import Conflict, NotFound, SkillError, StoreError
from ...adapters.file_ops import DiskOps
from ...adapters.skills import folder_digest
from ...adapters.store.writes import locked
from ...adapters.text import some
from .bank import SkillBank
from .journal import append_line, cut_torn, read_lines
from .rules import BINDING
from .texts import contents, reasons
from .types import Event, SkillText, StatsRule

LEDGER = "ledger.jsonl"
SKILLS = "skills"
LOCK = ".lock"
_PARTIAL = ".partial-"


class BankFolder:
    """An open bank on disk, made by `open_bank`."""

    def __init__(self, root: Path, bank: SkillBank, notes: tuple[str, ...]) -> None:
        self.root = root
        self.bank = bank
        """Every change of it is in the ledger before it is seen here."""
        self.notes = notes
        """What had to be repaired on opening, for people."""

    def sync(self) -> None:
        """Make the folders show the active skills; raises as `open_bank`."""
        _sync(self.root / SKILLS, self.bank)


@contextmanager
def open_bank(
    root: Path,
    *,
    create: bool = True,
    rule: StatsRule | None = None,
    binding: Collection[str] = BINDING,
) -> Iterator[BankFolder]:
    """Open a bank for writing; one writer at a time.

    Args:
        create: make a new bank where there is none.
        rule: of statistics, for a new bank.

    Raises:
        NotFound: no bank there, without `create`.
        Conflict: another writer has it open; or a skill's folder was edited by hand.
        StoreError: the ledger was changed, or the disk is unwilling.
    """
    _require_place(root, create=create)
    with locked(root / LOCK, exclusive=True, wait=False) as held:
        if not held:
            raise Conflict(
                f"{root} is open in another process; wait until that has ended, or fork the bank "
                "into a folder of its own"
            )
        folder = _opened(root, rule, binding)
        folder.sync()
        try:
            yield folder
        finally:
            folder.sync()


def read_bank(root: Path) -> tuple[SkillBank, tuple[str, ...]]:
    """A bank in memory with the past of the one on disk, which is left alone.

    Returns:
        The bank, and notes on what a writer would repair.

    Raises:
        NotFound: no bank there. StoreError: the ledger was changed, or cannot be read.
    """
    _require_place(root, create=False)
    events, notes, _ = _events(root / LEDGER)
    if not events:
        raise NotFound(f"{root / LEDGER} holds no event; make the bank anew")
    return SkillBank(events), notes


def write_fork(bank: SkillBank, root: Path) -> None:
    """A new bank on disk with the same past.

    Raises:
        Conflict: something is at `root`. StoreError: the disk is unwilling; nothing was left.
    """
    if root.exists() and any(root.iterdir()):
        raise Conflict(f"{root} is not empty; name a new folder for the fork")
    root.mkdir(parents=True, exist_ok=True)
    try:
        DiskOps().write(root / LEDGER, (event.line() for event in bank.events))
    except OSError as err:
        (root / LEDGER).unlink(missing_ok=True)
        raise StoreError(f"cannot write {root / LEDGER}: {err.strerror}") from err
    with open_bank(root, create=False):
        pass


def _opened(root: Path, rule: StatsRule | None, binding: Collection[str]) -> BankFolder:
    ledger = root / LEDGER
    events, notes, size = _events(ledger)
    if notes:
        cut_torn(ledger, size)

    def journal(event: Event) -> None:
        nonlocal size
        size = append_line(ledger, event.line(), expect_bytes=size)

    bank = SkillBank(events, rule=rule, binding=binding, journal=journal)
    DiskOps().sync_folder(root)
    return BankFolder(root, bank, notes)


def _require_place(root: Path, *, create: bool) -> None:
    if (root / LEDGER).exists():
        return
    if not create:
        raise NotFound(f"{root} is no bank: it has no {LEDGER}; name the folder of a bank")
    if root.exists() and (not root.is_dir() or any(e.name != LOCK for e in root.iterdir())):
        raise Conflict(f"{root} holds something else than a bank; name a new folder")
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise StoreError(f"cannot make {root}: {err.strerror}") from err


def _events(ledger: Path) -> tuple[tuple[Event, ...], tuple[str, ...], int]:
    """The events, notes on a torn end, and the number of bytes that are whole.

    A last line that is no event was torn by a power cut; any other such line is damage.
    """
    read = read_lines(ledger)
    events: list[Event] = []
    size, torn = 0, read.torn_bytes
    for number, line in enumerate(read.lines, 1):
        try:
            events.append(Event.model_validate_json(line))
        except ValidationError as err:
            if number < len(read.lines) or read.torn_bytes:
                raise StoreError(
                    f"line {number} of {ledger} is no event ({reasons(err)[:300]}); restore the "
                    "ledger from a copy, or fork what comes before"
                ) from err
            torn = len(line) + 1
            break
        size += len(line) + 1
    notes = (f"{ledger}: the last line was torn ({torn} bytes) and is cut off",) if torn else ()
    return tuple(events), notes, size


def _sync(place: Path, bank: SkillBank) -> None:
    try:
        place.mkdir(exist_ok=True)
        wanted = dict(bank.state.heads)
        for entry in sorted(place.iterdir()):
            if entry.name.startswith(_PARTIAL):
                shutil.rmtree(entry)
            elif _keeps(entry, wanted.get(entry.name), bank):
                del wanted[entry.name]
        for name in wanted:
            _write(place / name, bank.text(name))
        DiskOps().sync_folder(place)
    except OSError as err:
        if isinstance(err, StoreError):
            raise
        raise StoreError(
            f"cannot bring {place} up to date: {err}; the ledger is whole, open it again"
        ) from err


def _keeps(entry: Path, wanted: str | None, bank: SkillBank) -> bool:
    """Whether a folder stands as it should; an older version of ours is taken away."""
    try:
        seen = folder_digest(entry) if entry.is_dir() and not entry.is_symlink() else ""
    except SkillError:
        seen = ""
    if seen == wanted:
        return True
    if seen not in bank.state.versions:
        raise Conflict(
            f"{entry} is no version that this bank made (known: {some(bank.names) or 'none'}); "
            "move it elsewhere, open the bank again, and apply it as an `improve` or a `create`"
        )
    shutil.rmtree(entry)
    return False


def _write(target: Path, text: SkillText) -> None:
    """One folder under its name, whole; what it replaces is gone already."""
    partial = target.parent / f"{_PARTIAL}{secrets.token_hex(8)}"
    ops = DiskOps()
    for path, content in contents(text).items():
        ops.make_folder((partial / path).parent)
        ops.write(partial / path, [content.encode("utf-8")])
    ops.sync_folder(partial)
    os.rename(partial, target)
