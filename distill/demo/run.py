"""The demo, end to end: skill texts become trained, stored, routed and served adapters.

Owns the order of the phases on three engines. Every phase is a piece that also works on its own
(`making`, `measuring`); servers come from the caller through `Launch`.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from ...adapters import Store
from ..serving import Launch, Served, ServePlan, admin
from ..workbench import Workbench
from .making import publish, split, teach_all, train_all
from .measuring import ask_cost, measure, measure_shared
from .state import DemoRun, Found


def run_demo(run: DemoRun) -> Found:
    """All phases, on three engines: prefix cache on, off, and one for the shared adapter."""
    found = Found()
    bench = Workbench(run.base, Store(run.out / "store"), report=run.report)
    found.base_name, found.base_digest = bench.base_name, bench.identity.family_digest
    sft, num = run.settings.training.sft, len(run.skills)
    with _started(found, run.launch, run.plan(rank=sft.rank, slots=num)) as served:
        with found.phase("demonstrations"):
            lessons = asyncio.run(teach_all(run, bench, served.url))
        train_all(run, found, bench, lessons)
        split(run, found)
        publish(run, found, served, bench.store)
        asyncio.run(measure(run, found, bench, served.url))
    router = (run.out / "router").absolute()
    off = run.plan(rank=sft.rank, slots=num, prefix_cache=False, router=router)
    with _started(found, run.launch, off) as served, found.phase("cost, prefix cache off"):
        for one in found.carried:
            admin(served, "publish", {"ref": one.version.ref})
        asyncio.run(ask_cost(run, found, served.url, prefix_cache=False))
    with _started(found, run.launch, run.plan(rank=sft.rank * num, slots=1)) as served:
        asyncio.run(measure_shared(run, found, bench, served.url))
    return found


@contextmanager
def _started(found: Found, launch: Launch, plan: ServePlan) -> Iterator[Served]:
    with launch(plan) as served:
        spent = found.wall_s.get("engine starts", 0.0) + served.start_s
        found.wall_s["engine starts"] = round(spent, 2)
        yield served
