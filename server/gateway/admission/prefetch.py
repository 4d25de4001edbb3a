"""Loading ahead: what the router thinks likely is in memory before somebody asks for it.

A conversation that was routed to one skill often needs its second or third choice in the next turn.
One load at a time, in the background, only while host memory has room for one more, and no skill
twice in a while: whoever sends prompts cannot make the engines do much.
Owns when and how many. Refuses to own loading (`residency/`) and what a name stands for.
"""

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable

from ....adapters.errors import SkillweaveError
from ....router.scores import top
from ....router.types import Route, Selector, State

AGAIN_AFTER_S = 60.0
MAX_REMEMBERED = 4096
MAX_PENDING = 32
log = logging.getLogger(__name__)


class Watched:
    """A selector whose routes are also told to somebody else, from whatever thread it runs in."""

    def __init__(self, selector: Selector, tell: Callable[[Route], None]) -> None:
        self.selector = selector
        self._tell = tell

    def route(self, state: State) -> Route:
        """As the selector."""
        route = self.selector.route(state)
        self._tell(route)
        return route


class Prefetch:
    """Loads what is likely.

    Args:
        load: loads the adapter of a skill into every engine; False where there was nothing to do.
        has_room: whether one more adapter fits without another having to leave.
        most: how many of a route's skills, best first; 0 turns this off.
        outcomes: counts `loaded` and `failed`.
    """

    def __init__(
        self,
        load: Callable[[str], Awaitable[bool]],
        *,
        has_room: Callable[[], bool],
        most: int,
        outcomes: Counter[str],
    ) -> None:
        self._load = load
        self._has_room = has_room
        self._most = most
        self._outcomes = outcomes
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tried: OrderedDict[str, float] = OrderedDict()
        self._pending: list[str] = []
        self._task: asyncio.Task[None] | None = None

    def watch(self, selector: Selector | None) -> Selector | None:
        """The selector, with its routes told to `note`; call it within the event loop."""
        if selector is None or not self._most:
            return selector
        loop = asyncio.get_running_loop()
        return Watched(selector, lambda route: _call(loop, self.note, route))

    def note(self, route: Route) -> None:
        """A route was taken: its choice is loaded by the request itself, the next best here."""
        chosen = {choice.skill for choice in route.choice}
        likely = top(route.scores, self._most + len(chosen))
        now = asyncio.get_running_loop().time()
        for skill, score in likely:
            if skill not in chosen and score > 0 and self._is_due(skill, now):
                self._pending.append(skill)
        del self._pending[MAX_PENDING:]
        if self._pending and self._task is None:
            self._task = asyncio.ensure_future(self._work())

    async def close(self) -> None:
        """End what is going on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def settle(self) -> None:
        """Wait until nothing is going on."""
        while self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    def _is_due(self, skill: str, now: float) -> bool:
        last = self._tried.get(skill)
        if last is not None and now - last < AGAIN_AFTER_S:
            return False
        self._tried.pop(skill, None)
        self._tried[skill] = now
        if len(self._tried) > MAX_REMEMBERED:
            self._tried.popitem(last=False)
        return True

    async def _work(self) -> None:
        try:
            while self._pending:
                skill = self._pending.pop(0)
                if not self._has_room():
                    continue
                try:
                    self._outcomes["loaded"] += await self._load(skill)
                except SkillweaveError as err:  # whoever asks for it is told; here nobody asks
                    self._outcomes["failed"] += 1
                    log.debug("%s was not loaded ahead: %s", skill, err)
        finally:
            self._task = None


def _call(loop: asyncio.AbstractEventLoop, note: Callable[[Route], None], route: Route) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(note, route)
