"""On which file systems a store is safe, and how we know which one a folder is on.

A store needs five things: `link` that fails where the name is taken, `rename` in one step, `flock`
that other processes see, fsync of a folder, and times of changes finer than a second (`hot.py`).
Local file systems of Linux have them (`SAFE`). Network and user-space ones break at least one of
them between two machines (`UNSAFE`) and are refused for writing; reading is fine anywhere. What is
in neither table is tried out.
To add one: a line in a table, with the reason beside it where it is not obvious.
"""

import fcntl
import os
import secrets
import time
import warnings
from pathlib import Path

from ..errors import StoreError

SAFE = frozenset("ext4 xfs btrfs zfs f2fs jfs bcachefs tmpfs ramfs overlay nilfs2".split())
"""Not ext2, ext3 and reiserfs, whose clock of changes goes by the second: `probe` says so."""
UNSAFE = frozenset(
    """nfs nfs4 cifs smb smb2 smb3 9p afs ceph glusterfs lustre beegfs gpfs ncpfs vboxsf prl_fs
    drvfs vfat exfat msdos ntfs ntfs3 hfsplus iso9660 squashfs erofs""".split()
)
MOUNTS = Path("/proc/self/mountinfo")


def file_system_of(folder: Path, mounts: str | None = None) -> str:
    """The type of the file system that holds a folder, such as `ext4`; `unknown` without /proc.

    Args:
        folder: need not exist; its nearest existing ancestor decides.
        mounts: the text of `/proc/self/mountinfo`; by default that of this process.
    """
    if mounts is None:
        try:
            mounts = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return "unknown"
    here = folder.resolve()
    best, kind = -1, "unknown"
    for line in mounts.splitlines():
        left, dash, right = line.partition(" - ")
        fields = left.split()
        if not dash or len(fields) < 5:
            continue
        point = Path(_unescaped(fields[4]))
        if here.is_relative_to(point) and len(point.parts) >= best:  # a later mount hides earlier
            best, kind = len(point.parts), right.split()[0]
    return kind


def is_unsafe(kind: str) -> bool:
    """Whether a type of file system is known to break a promise that a store needs."""
    return kind in UNSAFE or kind.split(".")[0] in ("fuse", "fuseblk")


def require_safe(folder: Path, *, kind: str | None = None) -> None:
    """Refuse to write to a store where it is not safe.

    Args:
        folder: exists.
        kind: the file system's type; by default looked up.

    Raises:
        StoreError: it is known as unsafe, or it is unknown and a trial failed.
    """
    seen = kind or file_system_of(folder)
    if seen in SAFE:
        return
    remedy = (
        "put the store on a local disk (--store DIR or SKILLWEAVE_HOME on ext4, xfs, btrfs, zfs or "
        "tmpfs), or open it read-only; carry adapters over with a bundle (export, import)"
    )
    if is_unsafe(seen):
        raise StoreError(
            f"{folder} is on {seen}: links, locks and fsync are not reliable there; {remedy}"
        )
    fault = probe(folder)
    if fault:
        raise StoreError(f"{folder} is on {seen}, where {fault}; {remedy}")
    warnings.warn(
        f"{folder} is on {seen}, which is not on the list of file systems known to be safe for a "
        "store; link, rename, flock and fsync work there, power cuts were not tried",
        stacklevel=2,
    )


def probe(folder: Path) -> str:
    """Try out what a store needs; what does not work, or an empty text."""
    names = [folder / f".tmp-probe-{secrets.token_hex(8)}" for _ in range(3)]
    try:
        return _tried(folder, *names)
    except OSError as err:
        return f"a trial of link, rename, flock and fsync failed ({err})"
    finally:
        for name in names:
            name.unlink(missing_ok=True)


def _tried(folder: Path, first: Path, second: Path, third: Path) -> str:
    first.write_bytes(b"x")
    second.write_bytes(b"y")
    os.link(first, third)
    if not first.samefile(third):
        return "a second name is not the same file"
    try:
        os.link(second, third)
        return "link replaces a name that is taken"
    except FileExistsError:
        pass
    os.rename(second, third)
    if third.read_bytes() != b"y":
        return "rename does not replace"
    with first.open("rb") as one, first.open("rb") as other:
        fcntl.flock(one, fcntl.LOCK_EX)
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return "flock holds nobody back"
        except BlockingIOError:
            pass
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return "" if _ticks(third) else "times of changes go by the second, and not finer"


def _ticks(file: Path, times: int = 3) -> bool:
    """Whether a change of a file is told finer than by the second; some 10 ms between looks."""
    for _ in range(times):
        if file.stat().st_ctime_ns % 1_000_000_000:
            return True
        time.sleep(0.011)
        file.chmod(0o600)
    return False


def _unescaped(text: str) -> str:
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, char)
    return text
