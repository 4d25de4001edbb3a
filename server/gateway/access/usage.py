"""Tokens used: counted while serving, written a second later, kept over restarts.

A request costs one addition in memory. A second later a thread writes what has come together, so
a crash loses at most a second, and a disk that is full delays writing and stops nobody.
Owns the counting, the moment of writing and what of a budget is left. Refuses to own the file
(`usage_file.py`) and what happens when a budget is used up (`door.py`).
"""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from ....adapters.errors import StoreError
from .usage_file import EVER, Sum, UsageFile, Where

FLUSH_S = 1.0
SECONDS_OF_DAY = 86_400
MAX_PENDING = 20_000
"""Places waiting to be written; beyond it, further adapters are counted as `other`."""
log = logging.getLogger(__name__)


class Usage:
    """Counts for one gateway.

    Args:
        file: where sums stay; None counts in memory only.
        now: seconds of the epoch.
    """

    def __init__(self, file: UsageFile | None, *, now: Callable[[], float] = time.time) -> None:
        self._file = file
        self._now = now
        self._day_number, self._day = -1, ""
        self._pending: dict[Where, Sum] = {}
        self._spent: dict[tuple[str, str], int] = {}
        self._failing = False
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        if file is not None:
            self._read(file)

    def charge(self, key: str, team: str, adapter: str, *, prompt: int, completion: int) -> None:
        """Count one answer."""
        day = self._today()
        if len(self._pending) >= MAX_PENDING:
            adapter = "other"
        sums = self._pending.setdefault(Where(day, key, team, adapter), Sum())
        sums.add(Sum(1, prompt, completion))
        for when in (day, EVER):
            self._spent[key, when] = self._spent.get((key, when), 0) + prompt + completion
        self._flush_soon()

    def spent(self, key: str) -> tuple[int, int]:
        """Tokens of a key: today, and ever."""
        return self._spent.get((key, self._today()), 0), self._spent.get((key, EVER), 0)

    async def close(self) -> None:
        """Write what is waiting."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is not None:
            await self._writing
        await self.flush()

    def _flush_soon(self) -> None:
        if self._file is not None and self._timer is None and self._writing is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_S, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._writing = asyncio.ensure_future(self._write())

    async def _write(self) -> None:
        await self.flush()
        self._writing = None
        if self._pending:
            self._flush_soon()

    async def flush(self) -> None:
        """Write what is waiting, now."""
        file, taken = self._file, self._pending
        if file is None or not taken:
            return
        self._pending = {}
        try:
            await asyncio.to_thread(file.add, taken)
        except StoreError as err:
            self._say_once("usage is counted and not written yet", err)
            for where, sums in taken.items():
                self._pending.setdefault(where, Sum()).add(sums)
            return
        try:
            self._take_in(await asyncio.to_thread(file.spent, self._today()))
        except StoreError as err:  # what was written is written, and counted here, too
            self._say_once("what other servers used is not known", err)
            return
        self._failing = False

    def _say_once(self, what: str, err: StoreError) -> None:
        """The first time only: it is tried again every second, and a log may lie on a full disk."""
        if not self._failing:
            log.error("%s: %s", what, err)
        self._failing = True

    def _take_in(self, seen: dict[tuple[str, str], int]) -> None:
        """What the file says, other gateways' tokens included, and what is not in it yet."""
        for where, sums in self._pending.items():
            for when in (where.day, EVER):
                at = (where.key, when)
                seen[at] = seen.get(at, 0) + sums.prompt + sums.completion
        self._spent = seen

    def _read(self, file: UsageFile) -> None:
        try:
            self._spent = file.spent(self._today())
        except StoreError as err:
            log.error("budgets begin at zero: what was used before cannot be read: %s", err)

    def _today(self) -> str:
        number = int(self._now() // SECONDS_OF_DAY)
        if number != self._day_number:
            moment = datetime.fromtimestamp(number * SECONDS_OF_DAY, UTC)
            self._day_number, self._day = number, moment.date().isoformat()
        return self._day
