"""How much the hub holds, against its quota.

The sum is counted from the files when it is first asked for and again after a minute, and kept up
in between; with several processes on one root the quota may be passed by what the others took in
within that minute. Free space on the disk is looked at as well.
"""

import contextlib
import os
import shutil
import threading
import time
from pathlib import Path

from ...adapters.limits import MiB
from .errors import Refusal

_RECOUNT_S = 60.0
_SPARE_BYTES = 256 * MiB
_LOOK_EVERY_BYTES = 64 * MiB


class Usage:
    """The bytes of all contents and documents below a root."""

    def __init__(self, root: Path, quota: int) -> None:
        self._root = root
        self._quota = quota
        self._lock = threading.Lock()
        self._counted_at = float("-inf")
        self._bytes = 0
        self._unseen = _LOOK_EVERY_BYTES

    def charge(self, size: int) -> None:
        """Take note of bytes that are about to be written.

        Raises:
            Refusal: 507; over the quota, or the disk is nearly full.
        """
        with self._lock:
            now = time.monotonic()
            if now - self._counted_at > _RECOUNT_S:
                self._bytes, self._counted_at = self._count(), now
            self._bytes += size
            self._unseen += size
            over = self._bytes > self._quota
            if self._unseen >= _LOOK_EVERY_BYTES and not over:
                self._unseen = 0
                over = shutil.disk_usage(self._root).free < _SPARE_BYTES
        if over:
            raise Refusal(507, f"the hub is full (quota {self._quota} bytes); delete repositories")

    def _count(self) -> int:
        total = 0
        for place in ("repos", "incoming"):
            for folder, _, names in os.walk(self._root / place):
                for name in names:
                    with contextlib.suppress(OSError):  # gone since it was enumerated
                        total += os.stat(os.path.join(folder, name)).st_size
        return total
