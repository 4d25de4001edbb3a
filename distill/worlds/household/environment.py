"""One episode in one room: what was done, what is answered, when it ends.

Owns the turn counter and the two ends: the goal holds, or the turns are used up. Refuses to own
the rules, which are `state.py`'s, and the words, which are `replies.py`'s.
"""

from dataclasses import dataclass

from ..types import Observation, Step, Verdict
from . import replies
from .goals import Goal, next_action, plan
from .state import Room, State, after, done, fold, moves, queries


@dataclass(frozen=True)
class Start:
    """How an episode begins; `before` was done in the room before anybody was asked."""

    room: Room
    state: State
    goal: Goal
    request: str
    before: tuple[str, ...] = ()

    @property
    def opening_state(self) -> State:
        """The state after `before`.

        Raises:
            ValueError: an action of it is impossible.
        """
        state = self.state
        for action in self.before:
            state = done(self.room, state, action)
        return state

    @property
    def opening(self) -> str:
        """The first message: the request, the places of the room, and where one already stands."""
        state = self.opening_state
        lines = [self.request, replies.overview(self.room), replies.situation(self.room, state)]
        return "\n".join(line for line in lines if line)


class HouseholdEnvironment:
    """An episode; it ends when the goal holds or after `max_turns` decisions.

    An action that is impossible here and now, or no action at all, is answered with "nothing
    happens." and changes nothing but the number of turns left. `Step.info` has `state_changed`
    ("true" or "false"), `progress` (how much of the expert's way is behind, 0.00 to 1.00) and
    `state` (its hash).
    """

    def __init__(self, start: Start, *, max_turns: int) -> None:
        self._start = start
        self._max_turns = max_turns
        self._length = max(len(plan(start.room, start.opening_state, start.goal)), 1)
        self.reset(0)

    def reset(self, seed: int) -> Observation:
        """Begin anew. The room belongs to the task, so every seed gives the same episode."""
        self._state = self._start.opening_state
        self._turns = 0
        message = {"role": "user", "content": self._start.opening}
        return Observation((message,), self._legal())

    def step(self, action: str) -> Step:
        """Carry out one action; after the end nothing happens any more."""
        before = self._state
        told = replies.NOTHING
        if not self._over:
            self._turns += 1
            told = self._act(fold(action))
        passed = self._reached
        return Step(
            Observation(({"role": "user", "content": told},), self._legal()),
            1.0 if passed and before != self._state else 0.0,
            terminated=passed,
            truncated=self._over and not passed,
            info=self._info(before),
        )

    def verdict(self) -> Verdict:
        """Passed only where the goal holds."""
        if self._reached:
            return Verdict(True, 1.0, f"the goal holds after {self._turns} actions")
        if self._over:
            return Verdict(False, 0.0, f"the goal does not hold after all {self._turns} actions")
        return Verdict(False, 0.0, f"the goal does not hold yet, {self._turns} actions so far")

    def expert(self) -> str | None:
        """The planner's action now; None at the end."""
        return None if self._over else next_action(self._start.room, self._state, self._start.goal)

    def describe(self) -> str:
        """The request, the room and what one sees and holds."""
        start = self._start
        parts = (replies.overview(start.room), replies.situation(start.room, self._state))
        return "\n".join([start.request, *filter(None, parts)])

    @property
    def state_digest(self) -> str:
        """A hash of the room as it stands, without the number of turns."""
        return self._state.digest

    @property
    def _reached(self) -> bool:
        return self._start.goal.holds(self._start.room, self._state)

    @property
    def _over(self) -> bool:
        return self._reached or self._turns >= self._max_turns

    def _act(self, action: str) -> str:
        room = self._start.room
        there = after(room, self._state, action)
        if there is not None:
            self._state = there
            return replies.reply(room, action, there)
        if action in queries(room, self._state):
            return replies.answer(room, action, self._state)
        return replies.NOTHING

    def _legal(self) -> tuple[str, ...]:
        if self._over:
            return ()
        room = self._start.room
        return (*moves(room, self._state), *queries(room, self._state))

    def _info(self, before: State) -> dict[str, str]:
        left = len(plan(self._start.room, self._state, self._start.goal))
        return {
            "state_changed": "true" if self._state != before else "false",
            "progress": f"{max(0.0, 1 - left / self._length):.2f}",
            "state": self._state.digest,
        }
