"""The course of a recipe: skills are taught, trained and published on one server, then judged.

Owns the order, and what every part needs of the others: which requests were used, which model
string stands for which weights, what was spent. Refuses to own any method: what is learned and
which arms are asked is the recipe's. Worlds of several turns are asked; to be taught they need
rollouts, which this is not.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from ...adapters import UsageError, Version
from ...adapters.skills import Skill
from ..demonstrations import Demonstration, Teacher
from ..evaluation import Arm, Ask, Criterion, Interval
from ..evaluation.types import ItemResult
from ..policy import Policy, ServedPolicy
from ..serving import Served, ServePlan, admin
from ..skill_arms import BASE, AskServed, held_out_items
from ..skill_training import Lesson, SkillTraining, teach, train, train_rows
from ..trainable import checked
from ..workbench import Workbench
from ..worlds.checkers import worlds
from ..worlds.split_ledger import SplitLedger
from ..worlds.types import Split, Task
from .drawing import draw_skills
from .lessons import expert_rows, requests_within, taught_badly
from .run import Finished, RecipeContext

__all__ = ["Course", "expert_rows", "open_course", "requests_within", "taught_badly"]

T = TypeVar("T")


@dataclass
class Course:
    """One run of a recipe behind one server; `open_course` starts one.

    `weights` maps the model strings that were published to the digests of their weights.
    """

    name: str
    config: SkillTraining
    context: RecipeContext
    bench: Workbench
    served: Served
    lessons: list[Lesson] = field(default_factory=list)
    weights: dict[str, str] = field(default_factory=dict)
    _ledger: SplitLedger = field(default_factory=SplitLedger)

    def draw_skills(self, levels: Sequence[int]) -> list[Skill]:
        """One held-out skill a level of the world that the recipe runs on."""
        folder = self.context.work / "skills"
        return draw_skills(self.context.world, levels, folder=folder, seed=self.context.seed)

    def teach(self, skills: Sequence[Skill]) -> list[Lesson]:
        """The base answers requests with each text before it; what verifies is kept.

        Every skill gives a lesson, also one whose text does not help: nothing is selected. No
        request of another split is asked.

        Raises:
            UsageError: a world of several turns.
            BudgetExceeded: an answer too many.
        """
        self._require_one_turn("taught by demonstrations")
        taken = self._ledger.outside("train")

        async def each(policy: Policy) -> list[Lesson]:
            teacher = Teacher(policy)
            return [
                await teach(
                    skill, self.config, self.bench, teacher=teacher, seed=self.context.seed,
                    force=True, take_few=True, exclude=taken,
                )
                for skill in skills
            ]  # fmt: skip

        lessons = self.with_policy(each)
        for lesson in lessons:
            self._ledger.record("train", lesson.asked_ids)
        self.lessons += lessons
        return lessons

    def carry(self, lessons: Sequence[Lesson]) -> dict[str, str]:
        """One adapter for each lesson, published.

        Returns:
            Skill -> model string; `BASE` for a skill that could not be taught.
        """
        models = dict.fromkeys((lesson.skill.name for lesson in lessons), BASE)
        for lesson in lessons:
            if lesson.trainable:
                carried = train(
                    lesson, self.config, self.bench, recipe=self.name, seed=self.context.seed
                )
                models[lesson.skill.name] = self.publish(carried.version)
        return models

    def carry_rows(
        self, name: str, rows: Sequence[Demonstration], *, description: str, licence: str | None
    ) -> str:
        """One adapter on rows that the recipe chose, published under `name`; its model string.

        Raises:
            ValueError: a row is a request of the dev or test split.
        """
        self._ledger.record("train", (row.task_id for row in rows))
        version, _ = train_rows(
            rows, self.config, self.bench, name=name, recipe=self.name,
            seed=self.context.seed, description=description, licence=licence,
        )  # fmt: skip
        return self.publish(version)

    def publish(self, version: Version) -> str:
        """Serve a version of the run's store, such as one that was composed; its model string."""
        admin(self.served, "publish", {"ref": version.ref})
        model = f"{version.ref}:adapter"
        self.weights[model] = version.weights_digest
        return model

    def tasks(self, skills: Sequence[Skill], split: Split, *, num_items: int) -> list[Task]:
        """Requests of every skill from one split, none of which another split of this run has.

        The same call gives the same requests.

        Raises:
            RefusedSkill: this base cannot read one of the skills.
            SkillError: a skill does not have so many.
        """
        taken = self._ledger.outside(split)
        return held_out_items(
            {skill.name: checked(skill, self.context.base) for skill in skills},
            num_items=num_items, seed=self.context.seed,
            exclude={skill.name: taken for skill in skills}, ledger=self._ledger, split=split,
        )  # fmt: skip

    def ask(
        self,
        arms: Sequence[Arm],
        items: Sequence[Task],
        *,
        criterion: Criterion,
        asking: Callable[[Policy], Ask] | None = None,
    ) -> tuple[ItemResult, ...]:
        """Every arm answers every item; see `RecipeContext.ask`.

        Args:
            asking: another way to ask; what it depends on beside the arm must stand in the items.

        Raises:
            ValueError: an item is a request of another split, such as one that was trained on.
        """
        self._require_one_turn("asked in one turn")
        for item in items:
            self._ledger.record(item.split, [item.id])
        sampling = self.config.sampling

        async def asked() -> tuple[ItemResult, ...]:
            async with ServedPolicy(self.served.url) as policy:
                return await self.context.ask(
                    arms, items, criterion=criterion,
                    ask=asking(policy) if asking else AskServed(policy, sampling),
                    base=self.bench.identity.family_digest, sampling=sampling,
                    weights=self.weights,
                )  # fmt: skip

        return asyncio.run(asked())

    def judged(
        self,
        arms: Sequence[Arm],
        items: Sequence[Task],
        *,
        criterion: Criterion,
        notes: Sequence[str] = (),
    ) -> Finished:
        """`ask` and `finished` in one: the end of a recipe that looks at nothing in between."""
        results = self.ask(arms, items, criterion=criterion)
        return self.finished(results, criterion=criterion, notes=notes)

    def with_policy(self, use: Callable[[Policy], Awaitable[T]]) -> T:
        """Whatever samples for learning, under the budget of the run."""

        async def using() -> T:
            async with ServedPolicy(self.served.url) as policy:
                return await use(self.context.metered(policy))

        return asyncio.run(using())

    def finished(
        self,
        results: tuple[ItemResult, ...],
        *,
        criterion: Criterion,
        notes: Sequence[str] = (),
        numbers: Mapping[str, float | Interval] | None = None,
        pairs: Sequence[tuple[str, str]] = (),
    ) -> Finished:
        """What `run` gives back, with a note on every skill that was taught badly.

        Args:
            numbers: what `measured(...)` clauses of the criterion ask for, by name.
            pairs: comparisons that are reported beside those of the criterion.
        """
        return Finished(
            criterion,
            results,
            rollouts=self.context.budget.spent["rollouts"],
            base=self.bench.identity.family_digest,
            notes=(*taught_badly(self.lessons, self.config), *notes),
            numbers=dict(numbers or {}),
            pairs=tuple(pairs),
        )

    def _require_one_turn(self, what: str) -> None:
        turns = worlds()[self.context.world].spec.max_turns
        if turns > 1:
            raise UsageError(
                f"world {self.context.world!r} has episodes of up to {turns} turns and cannot be "
                f"{what}; choose a world of one turn"
            )


@contextmanager
def open_course(
    name: str,
    config: SkillTraining,
    context: RecipeContext,
    *,
    adapters: int,
    rank: int | None = None,
) -> Iterator[Course]:
    """A server on the base and the run's store, with room for so many adapters at once.

    Args:
        rank: the largest that is served, where it is not that of training: a sum of adapters is
            exact up to the sum of their ranks.
    """
    bench = Workbench(context.base, context.store, report=context.report)
    largest = config.sft.rank if rank is None else rank
    plan = ServePlan(context.base, context.store.root, rank=largest, slots=adapters)
    with context.launch(plan) as served:
        yield Course(name, config, context, bench, served)
