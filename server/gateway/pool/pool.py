"""The engines behind a gateway: which are there, how they are, which of them take requests.

Follows the state file; checks the engines at intervals and believes what requests tell of them. An
engine that comes, or comes back, is brought to the declared set before it takes requests. One that
drains finishes what it has and gets nothing more.
Owns the members and their health. Refuses to own their adapters (`residency/`), their processes
(the supervisor), and which request goes where (`admission/`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp

from ....adapters.errors import NotFound, SkillweaveError
from ...engines.client import EngineClient, Observe
from ...state_file import EngineState
from ..admission.lanes import Book
from ..errors import NotReady
from .health import CHECK_EVERY_S, Event, Health, Standing, step

CHECK_TIMEOUT_S = 10.0
Key = tuple[str, int | None, int | None]


@dataclass(eq=False)
class Member:
    """One engine. `restored` says that it holds the declared set."""

    state: EngineState
    client: EngineClient
    book: Book
    health: Health = field(default_factory=Health)
    draining: bool = False
    restored: bool = False
    checking: bool = False

    @property
    def standing(self) -> Standing:
        """What it may be used for."""
        return self.health.standing

    @property
    def takes_loads(self) -> bool:
        """Whether it is to hold what the others hold."""
        return self.restored and not self.draining and self.standing is not Standing.DOWN


class Pool:
    """Clients of all engines.

    Args:
        restore: awaited for an engine before it takes requests.
        slots: adapters in a batch, for engines that do not say it themselves; None if unknown.
        takes_priority: whether the engines know vLLM's `priority`.
        observe: told of adapters that engines are asked to load and to let go.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        restore: Callable[[EngineClient], Awaitable[None]],
        slots: int | None = None,
        takes_priority: bool = False,
        observe: Observe = lambda *_: None,
    ) -> None:
        self._session = session
        self._observe = observe
        self._restore = restore
        self._slots = slots
        self._takes_priority = takes_priority
        self._members: dict[Key, Member] = {}
        self._open: tuple[Book, ...] = ()
        self._timer: asyncio.TimerHandle | None = None
        self._checks: set[asyncio.Task[None]] = set()
        self.on_change: Callable[[], None] = lambda: None
        """Called when engines have begun or ceased to take requests."""

    @property
    def members(self) -> tuple[Member, ...]:
        """Every engine, also those that take no requests now."""
        return tuple(self._members.values())

    @property
    def ready(self) -> tuple[EngineClient, ...]:
        """The engines that are to hold the declared adapters now."""
        return tuple(member.client for member in self._members.values() if member.takes_loads)

    @property
    def open(self) -> tuple[Book, ...]:
        """The engines that take requests now: those that are up, else those that may be."""
        return self._open

    def pick(self) -> EngineClient:
        """The engine with the fewest running answers.

        Raises:
            NotReady: none takes requests.
        """
        if not self._open:
            raise no_engine()
        return min((book.client for book in self._open), key=lambda client: client.in_flight)

    async def follow(self, engines: tuple[EngineState, ...]) -> None:
        """Take on engines that have become ready and let go of those that are no longer named.

        Raises:
            SkillweaveError: one of them could not be brought to the declared set; it is tried
                again later, the others take requests.
        """
        wanted = {_key(engine): engine for engine in engines if engine.ready and engine.alive}
        self._members = {key: self._members.get(key) or self._new(e) for key, e in wanted.items()}
        self._changed()
        fresh = [member for member in self._members.values() if not member.restored]
        results = await asyncio.gather(*map(self._bring_in, fresh), return_exceptions=True)
        self._arm()
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            raise failures[0]

    def drain(self, url: str, *, draining: bool) -> int:
        """Let an engine take no more requests, or take them again.

        Returns:
            How many answers it still has running.

        Raises:
            NotFound: there is no such engine.
        """
        found = [member for member in self._members.values() if member.client.url == url]
        if not found:
            known = ", ".join(member.client.url for member in self._members.values()) or "none"
            raise NotFound(f"there is no engine at {url[:200]!r}; there are: {known}")
        member = found[0]
        if member.draining and not draining:  # what was loaded meanwhile passed it by
            member.restored = False
            member.health = Health()
        member.draining = draining
        self._changed()
        self._arm(0.0)
        return member.client.in_flight

    def told(self, client: EngineClient, event: Event) -> None:
        """A request tells how an engine is."""
        member = next((m for m in self._members.values() if m.client is client), None)
        if member is None or (event is Event.ANSWERED and member.standing is Standing.UP):
            return
        self._note(member, event)
        if event is Event.BROKE_OFF:
            self._arm(0.0)

    async def check(self) -> None:
        """Look after every engine whose time has come."""
        now = asyncio.get_running_loop().time()
        due = [m for m in self._members.values() if m.health.next_check <= now and not m.checking]
        await asyncio.gather(*map(self._check, due))

    async def close(self) -> None:
        """No more checks."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._checks:
            task.cancel()
        await asyncio.gather(*self._checks, return_exceptions=True)

    def _new(self, engine: EngineState) -> Member:
        client = EngineClient(
            engine.url, secret=engine.secret, session=self._session, observe=self._observe
        )
        book = Book(client, slots=self._slots, takes_priority=self._takes_priority)
        return Member(engine, client, book)

    async def _bring_in(self, member: Member) -> None:
        await self._restore(member.client)
        await self._learn(member)
        member.restored = True
        self._changed()

    async def _learn(self, member: Member) -> None:
        truth = await member.client.residency()
        if truth is not None:
            member.book.learn(truth)

    async def _check(self, member: Member) -> None:
        member.checking = True
        try:
            passed = await self._passes(member)
            if passed and (not member.restored or member.standing is Standing.DOWN):
                await self._bring_in(member)
            elif passed and member.book.stale and len(self._members) > 1:
                await self._learn(member)
        except SkillweaveError:  # it is not what it should be; it is looked after again
            passed = False
        finally:
            member.checking = False
        self._note(member, Event.CHECK_PASSED if passed else Event.CHECK_FAILED)

    async def _passes(self, member: Member) -> bool:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                return await member.client.healthy()
        except TimeoutError:
            return False

    def _note(self, member: Member, event: Event) -> None:
        before = member.standing
        member.health = step(member.health, event, asyncio.get_running_loop().time())
        if member.standing is not before:
            self._changed()

    def _changed(self) -> None:
        there = [m for m in self._members.values() if m.takes_loads]
        good = [m for m in there if m.standing in (Standing.UP, Standing.TRIAL)]
        self._open = tuple(member.book for member in good or there)
        for member in there:
            member.book.on_trial = member.standing is Standing.TRIAL and len(self._open) > 1
        self.on_change()

    def _arm(self, delay_s: float = CHECK_EVERY_S) -> None:
        """Have `check` run in a while; a timer and no task, so that nothing is left behind."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._tick)

    def _tick(self) -> None:
        if not self._members:
            return
        task = asyncio.ensure_future(self.check())
        self._checks.add(task)
        task.add_done_callback(self._checks.discard)
        now = asyncio.get_running_loop().time()
        next_s = min((m.health.next_check - now for m in self._members.values()), default=0.0)
        self._arm(min(max(next_s, 0.25), CHECK_EVERY_S))


def no_engine() -> NotReady:
    """Nobody takes requests."""
    return NotReady("no engine is ready yet; GET /ready says when, try again in a moment")


def _key(engine: EngineState) -> Key:
    return engine.url, engine.pid, engine.started
