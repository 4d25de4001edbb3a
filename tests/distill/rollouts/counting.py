"""A world of one number: an episode in which the policy counts down to nothing.

The observation says the number; `less` takes one off it. Anything else does nothing, as in a world
with silent failures. Wrecked at a number, the world itself fails there.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from skillweave.distill.worlds.types import Message, Observation, Split, Step, Verdict


@dataclass
class CountDown:
    start: int
    most: int = 8
    wrecked_at: int | None = None
    left: int = 0
    done: int = 0

    def reset(self, seed: int) -> Observation:
        self.left, self.done = self.start + seed, 0
        return self._look()

    def step(self, action: str) -> Step:
        self.done += 1
        if action == "less":
            self.left -= 1
        if self.left == self.wrecked_at:
            raise RuntimeError("the world broke")
        over = self.left == 0
        info = {"left": str(self.left)}
        return Step(self._look(), 0.5 * over, over, not over and self.done == self.most, info)

    def verdict(self) -> Verdict:
        passed = self.left == 0
        return Verdict(passed, float(passed), f"{self.left} left")

    def expert(self) -> str | None:
        return "less"

    def describe(self) -> str:
        return str(self.left)

    def _look(self) -> Observation:
        news = ({"role": "user", "content": f"the number is {self.left}"},)
        return Observation(news, ("less", "wait"))


@dataclass(frozen=True)
class CountTask:
    start: int
    family: str = "counting"
    split: Split = "train"
    wrecked_at: int | None = None

    @property
    def id(self) -> str:
        return f"count-{self.start}"

    @property
    def messages(self) -> tuple[Message, ...]:
        return self.environment().reset(0).messages

    @property
    def meta(self) -> Mapping[str, str]:
        return {}

    def verify(self, text: str) -> Verdict:
        world = self.environment()
        world.reset(0)
        for line in text.splitlines():
            world.step(line)
        return world.verdict()

    def environment(self) -> CountDown:
        return CountDown(self.start, wrecked_at=self.wrecked_at)
