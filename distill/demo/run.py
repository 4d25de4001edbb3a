"""The demo, end to end: skill texts become trained, stored, routed and served adapters.

Owns the order of the phases and what is handed from one to the next. Every phase is the piece
that also works on its own; servers come from the caller through `Launch`.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ...adapters import Store, Version
from ...adapters.skills import Skill
from ...router.router import Router
from ..demonstrations import Teacher
from ..evaluation import Arm, ItemLog, evaluate
from ..evaluation.types import ItemResult
from ..policy import ServedPolicy
from ..report.model import CostRow, HarmRow, NumericBlock
from ..routing import fit_router
from ..serving import Launch, Served, ServePlan, admin
from ..skill_arms import (
    AskServed,
    auto_arm,
    irrelevant_arm,
    named_arm,
    none_arm,
    shared_arm,
    test_items,
    text_arm,
    wrong_arm,
)
from ..skill_training import Carried, Lesson, teach, train, train_shared
from ..trainable import checked
from ..workbench import Report, Workbench
from ..worlds.string_skills import CHECKER_KEY, SkillSpec, stray_requests
from ..worlds.types import Task
from .cost import measure_cost
from .harm import measure_harm
from .numeric import measure_numeric
from .routed import StrayItem, stray_items
from .settings import DemoSettings

SHARED = "shared-demo"
RECIPE = "s2l"


@dataclass
class Found:
    """Everything the phases found; the report is made of it alone."""

    carried: list[Carried] = field(default_factory=list)
    shared: Version | None = None
    router: Router | None = None
    dev: dict[str, list[Task]] = field(default_factory=dict)
    dev_strays: list[str] = field(default_factory=list)
    items: list[Task] = field(default_factory=list)
    strays: list[StrayItem] = field(default_factory=list)
    results: list[ItemResult] = field(default_factory=list)
    stray_results: list[ItemResult] = field(default_factory=list)
    arms: list[Arm] = field(default_factory=list)
    cost: list[CostRow] = field(default_factory=list)
    harm: tuple[HarmRow, ...] = ()
    numeric: NumericBlock | None = None
    base_name: str = ""
    base_digest: str = ""
    wall_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the block's seconds to `wall_s[name]`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = self.wall_s.get(name, 0.0) + time.perf_counter() - started
            self.wall_s[name] = round(spent, 2)


@dataclass(frozen=True)
class DemoRun:
    """One run: where things lie, how much is done, and who starts servers."""

    base: Path
    skills: Sequence[Skill]
    skills_dir: Path
    out: Path
    settings: DemoSettings
    launch: Launch
    report: Report

    def plan(self, *, rank: int, slots: int, prefix_cache: bool = True) -> ServePlan:
        return ServePlan(
            self.base,
            self.out / "store",
            rank=rank,
            slots=slots,
            skills=self.skills_dir,
            prefix_cache=prefix_cache,
        )


def run_demo(run: DemoRun) -> Found:
    """All phases, on three engines: prefix cache on, off, and one for the shared adapter."""
    found = Found()
    bench = Workbench(run.base, Store(run.out / "store"), report=run.report)
    found.base_name, found.base_digest = bench.base_name, bench.identity.family_digest
    sft, num = run.settings.training.sft, len(run.skills)
    with _started(found, run.launch, run.plan(rank=sft.rank, slots=num)) as served:
        with found.phase("demonstrations"):
            lessons = asyncio.run(_teach_all(run, bench, served.url))
        _train_all(run, found, bench, lessons)
        _split(run, found)
        _route_and_publish(run, found, served)
        asyncio.run(_measure(run, found, bench, served.url))
    off = run.plan(rank=sft.rank, slots=num, prefix_cache=False)
    with _started(found, run.launch, off) as served, found.phase("cost, prefix cache off"):
        admin(served, "router", {"path": str(run.out / "router")})
        asyncio.run(_cost(run, found, served.url, prefix_cache=False))
    with _started(found, run.launch, run.plan(rank=sft.rank * num, slots=1)) as served:
        asyncio.run(_measure_shared(run, found, served.url))
    return found


@contextmanager
def _started(found: Found, launch: Launch, plan: ServePlan) -> Iterator[Served]:
    with launch(plan) as served:
        spent = found.wall_s.get("engine starts", 0.0) + served.start_s
        found.wall_s["engine starts"] = round(spent, 2)
        yield served


async def _teach_all(run: DemoRun, bench: Workbench, url: str) -> list[Lesson]:
    config, seed = run.settings.training, run.settings.seed
    async with ServedPolicy(url) as policy:
        teacher = Teacher(policy)
        return [
            await teach(skill, config, bench, teacher=teacher, seed=seed, force=True)
            for skill in run.skills
        ]


def _train_all(run: DemoRun, found: Found, bench: Workbench, lessons: Sequence[Lesson]) -> None:
    config, seed = run.settings.training, run.settings.seed
    with found.phase("training"):
        found.carried = [train(one, config, bench, recipe=RECIPE, seed=seed) for one in lessons]
    num = len(lessons)
    wide = {"rank": config.sft.rank * num, "alpha": config.sft.alpha * num}
    pooled = config.model_copy(update={"sft": config.sft.model_copy(update=wide)})
    with found.phase("training the shared adapter"):
        found.shared, _ = train_shared(
            lessons, pooled, bench, name=SHARED, recipe=RECIPE, seed=seed
        )


def _split(run: DemoRun, found: Found) -> None:
    """Draw dev and test requests, disjoint from those trained on and from each other."""
    settings, seed = run.settings, run.settings.seed
    used = {c.skill.name: {d.task_id for d in c.lesson.demonstrations} for c in found.carried}
    checkers = {skill.name: checked(skill, run.base) for skill in run.skills}
    for name, checker in checkers.items():
        found.dev[name] = checker.tasks("dev", settings.num_dev, seed=seed, exclude=used[name])
        used[name] |= {task.id for task in found.dev[name]}
    found.items = test_items(checkers, num_items=settings.num_items, seed=seed, train_ids=used)
    topics = {SkillSpec.from_json(s.metadata[CHECKER_KEY]).topic for s in run.skills}
    found.dev_strays = stray_requests(settings.num_stray, without=topics, seed=seed, split="dev")
    strays = stray_requests(settings.num_stray, without=topics, seed=seed, split="test")
    found.strays = stray_items(strays)


def _route_and_publish(run: DemoRun, found: Found, served: Served) -> None:
    with found.phase("router"):
        found.router = fit_router(
            found.carried,
            found.dev,
            found.dev_strays,
            base=found.base_digest,
            base_dir=run.base,
            seed=run.settings.seed,
        )
        found.router.save(run.out / "router")
    with found.phase("publishing"):
        for one in found.carried:
            admin(served, "publish", {"ref": one.version.ref})
        admin(served, "router", {"path": str(run.out / "router")})


async def _measure(run: DemoRun, found: Found, bench: Workbench, url: str) -> None:
    settings = run.settings
    refs = {one.skill.name: one.version.ref for one in found.carried}
    found.arms = [
        none_arm(),
        text_arm(run.skills),
        named_arm(refs),
        auto_arm(),
        wrong_arm(refs),
        irrelevant_arm(run.skills, seed=settings.seed),
    ]
    async with ServedPolicy(url) as policy:
        ask = AskServed(policy, settings.training.sampling)
        with found.phase("evaluation"):
            await _ask_all(run, found, found.arms, ask)
            found.stray_results += await evaluate(
                [auto_arm()], found.strays, ask=ask, concurrency=settings.concurrency
            )
        by_skill = {s.name: [i for i in found.items if i.family == s.name] for s in run.skills}
        with found.phase("harm"):
            found.harm = await measure_harm(
                run.skills, refs, by_skill, ask=ask, settings=settings, report=run.report
            )
    with found.phase("vLLM against PEFT"):
        found.numeric = await measure_numeric(
            url, found.carried, bench, num_rows=settings.numeric_rows
        )
    with found.phase("cost, prefix cache on"):
        await _cost(run, found, url, prefix_cache=True)


async def _measure_shared(run: DemoRun, found: Found, url: str) -> None:
    assert found.shared is not None
    arm = shared_arm(found.shared.ref)
    async with ServedPolicy(url) as policy:
        ask = AskServed(policy, run.settings.training.sampling)
        with found.phase("evaluation"):
            await _ask_all(run, found, [arm], ask)
    found.arms.append(arm)
    with found.phase("cost, shared adapter"):
        await _cost(run, found, url, prefix_cache=True, arms=[arm])


async def _cost(
    run: DemoRun, found: Found, url: str, *, prefix_cache: bool, arms: Sequence[Arm] | None = None
) -> None:
    found.cost += await measure_cost(
        url, arms or found.arms, found.items, prefix_cache=prefix_cache, settings=run.settings
    )


async def _ask_all(run: DemoRun, found: Found, arms: Sequence[Arm], ask: AskServed) -> None:
    """Ask every arm every test item; results also go to `items.jsonl` as they arrive."""
    for arm in arms:
        done = 0

        def count(result: ItemResult, *, arm: Arm = arm) -> None:
            nonlocal done
            done += 1
            log.write(result)
            run.report(f"evaluating {arm.name}", done, len(found.items))

        with ItemLog(run.out / "items.jsonl") as log:
            found.results += await evaluate(
                [arm], found.items, ask=ask, concurrency=run.settings.concurrency, on_result=count
            )
