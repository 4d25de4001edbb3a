"""The demo, end to end: skill texts become trained, stored, routed and served adapters.

Owns the order of the phases and what is handed from one to the next. Every phase is the piece
that also works on its own; servers come from the caller through `Launch`.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ...adapters import Store, Version
from ...adapters.skills import Skill
from ...router.router import Router
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
from ..skill_training import Carried, teach, train, train_shared
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


async def run_demo(run: DemoRun) -> Found:
    """All phases, on three engines: prefix cache on, off, and one for the shared adapter."""
    found = Found()
    store = Store(run.out / "store")
    sft, num = run.settings.training.sft, len(run.skills)
    with _started(found, run.launch, run.plan(rank=sft.rank, slots=num)) as served:
        async with ServedPolicy(served.url) as policy:
            bench = Workbench(run.base, store, policy, report=run.report)
            found.base_name, found.base_digest = bench.base_name, bench.identity.family_digest
            await _make_adapters(run, found, bench)
            _route_and_publish(run, found, bench, served)
            await _measure(run, found, bench, served)
    off = run.plan(rank=sft.rank, slots=num, prefix_cache=False)
    with _started(found, run.launch, off) as served, found.phase("cost, prefix cache off"):
        admin(served, "router", {"path": str(run.out / "router")})
        found.cost += await measure_cost(
            served.url, found.arms, found.items, prefix_cache=False, settings=run.settings
        )
    with _started(found, run.launch, run.plan(rank=sft.rank * num, slots=1)) as served:
        await _measure_shared(run, found, bench, served)
    return found


@contextmanager
def _started(found: Found, launch: Launch, plan: ServePlan) -> Iterator[Served]:
    with launch(plan) as served:
        spent = found.wall_s.get("engine starts", 0.0) + served.start_s
        found.wall_s["engine starts"] = round(spent, 2)
        yield served


async def _make_adapters(run: DemoRun, found: Found, bench: Workbench) -> None:
    config, seed = run.settings.training, run.settings.seed
    with found.phase("demonstrations"):
        lessons = [await teach(s, config, bench, seed=seed, force=True) for s in run.skills]
    with found.phase("training"):
        found.carried = [train(one, config, bench, recipe=RECIPE, seed=seed) for one in lessons]
    with found.phase("training the shared adapter"):
        rank = config.sft.rank * len(lessons)
        scaled = config.sft.model_copy(
            update={"rank": rank, "alpha": config.sft.alpha * len(lessons)}
        )
        found.shared, _ = train_shared(
            lessons,
            config.model_copy(update={"sft": scaled}),
            bench,
            name=SHARED,
            recipe=RECIPE,
            seed=seed,
        )


def _route_and_publish(run: DemoRun, found: Found, bench: Workbench, served: Served) -> None:
    settings = run.settings
    trained = {c.skill.name: {d.task_id for d in c.lesson.demonstrations} for c in found.carried}
    checkers = {s.name: checked(s, run.base) for s in run.skills}
    dev = {
        name: checker.tasks("dev", settings.num_dev, seed=settings.seed, exclude=trained[name])
        for name, checker in checkers.items()
    }
    used = {name: trained[name] | {task.id for task in dev[name]} for name in checkers}
    found.items = test_items(
        checkers, num_items=settings.num_items, seed=settings.seed, train_ids=used
    )
    topics = {SkillSpec.from_json(s.metadata[CHECKER_KEY]).topic for s in run.skills}
    found.strays = stray_items(
        stray_requests(settings.num_stray, without=topics, seed=settings.seed, split="test")
    )
    with found.phase("router"):
        found.router = fit_router(
            found.carried,
            dev,
            stray_requests(settings.num_stray, without=topics, seed=settings.seed, split="dev"),
            base=bench.identity.family_digest,
            base_dir=run.base,
            seed=settings.seed,
        )
        found.router.save(run.out / "router")
    with found.phase("publishing"):
        for one in found.carried:
            admin(served, "publish", {"ref": one.version.ref})
        admin(served, "router", {"path": str(run.out / "router")})


async def _measure(run: DemoRun, found: Found, bench: Workbench, served: Served) -> None:
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
    ask = AskServed(bench.teacher, settings.training.sampling)
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
            served.url, found.carried, bench, num_rows=settings.numeric_rows
        )
    with found.phase("cost, prefix cache on"):
        found.cost += await measure_cost(
            served.url, found.arms, found.items, prefix_cache=True, settings=settings
        )


async def _measure_shared(run: DemoRun, found: Found, bench: Workbench, served: Served) -> None:
    assert found.shared is not None
    arm = shared_arm(found.shared.ref)
    async with ServedPolicy(served.url) as policy:
        ask = AskServed(policy, run.settings.training.sampling)
        with found.phase("evaluation"):
            await _ask_all(run, found, [arm], ask)
    with found.phase("cost, shared adapter"):
        found.cost += await measure_cost(
            served.url, [arm], found.items, prefix_cache=True, settings=run.settings
        )
    found.arms = [*found.arms, arm]


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
