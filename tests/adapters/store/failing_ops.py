"""File operations that fail or die at the n-th one: a stand-in disk with behaviour.

Before the chosen operation takes effect, a write or copy leaves half of its bytes behind, as a
full disk or a kill would.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from skillweave.adapters.file_ops import DiskOps


class FailingOps:
    """The disk's operations, with `strike` called in the middle of operation number `at`.

    With `lasting`, everything that needs space strikes from then on; removing still works.
    """

    def __init__(self, at: int, strike: Callable[[], None], *, lasting: bool = False) -> None:
        self._disk = DiskOps()
        self._at, self._strike, self._lasting = at, strike, lasting
        self.done = 0

    def _struck(self, *, needs_space: bool = True) -> bool:
        self.done += 1
        return self.done == self._at or (self._lasting and needs_space and self.done > self._at)

    def make_folder(self, path: Path) -> None:
        if self._struck():
            self._strike()
        self._disk.make_folder(path)

    def write(self, path: Path, chunks: Iterable[bytes]) -> None:
        if self._struck():
            data = b"".join(chunks)
            path.write_bytes(data[: len(data) // 2])
            self._strike()
        self._disk.write(path, chunks)

    def mark(self, path: Path) -> None:
        if self._struck():
            self._strike()
        self._disk.mark(path)

    def copy(self, source: Path, target: Path, *, executable: bool) -> str:
        if self._struck():
            data = source.read_bytes()
            target.write_bytes(data[: len(data) // 2])
            self._strike()
        return self._disk.copy(source, target, executable=executable)

    def link(self, source: Path, target: Path) -> None:
        if self._struck():
            self._strike()
        self._disk.link(source, target)

    def rename(self, source: Path, target: Path) -> None:
        if self._struck():
            self._strike()
        self._disk.rename(source, target)

    def sync_folder(self, path: Path) -> None:
        if self._struck(needs_space=False):
            self._strike()
        self._disk.sync_folder(path)

    def unlink(self, path: Path) -> None:
        if self._struck(needs_space=False):
            self._strike()
        self._disk.unlink(path)

    def remove_tree(self, path: Path) -> None:
        if self._struck(needs_space=False):
            children = sorted(path.rglob("*"))
            if children and children[-1].is_file():
                children[-1].unlink()
            self._strike()
        self._disk.remove_tree(path)
