"""The first half of the demo: teach, train, split the requests, publish, prove, route."""

import asyncio
from collections.abc import Sequence

import torch

from ...adapters import Store
from ..demonstrations import Teacher
from ..evidence import Proof, attest, prove
from ..policy import ServedPolicy
from ..routing import fit_router
from ..serving import Served, admin
from ..skill_arms import AskServed, held_out_items
from ..skill_training import Lesson, teach, train
from ..trainable import checked
from ..workbench import Workbench
from ..worlds.split_ledger import SplitLedger
from ..worlds.string_skills import CHECKER_KEY, SkillSpec, stray_requests
from .pooled import Order, training_beside, widened
from .routed import stray_items
from .state import DemoRun, Found

RECIPE = "s2l"


async def teach_all(run: DemoRun, bench: Workbench, url: str) -> list[Lesson]:
    config, seed = run.settings.training, run.settings.seed
    async with ServedPolicy(url) as policy:
        teacher = Teacher(policy)
        return [
            await teach(skill, config, bench, teacher=teacher, seed=seed, force=True)
            for skill in run.skills
        ]


def train_all(run: DemoRun, found: Found, bench: Workbench, lessons: Sequence[Lesson]) -> None:
    """One adapter a skill here, and the shared one beside it; one thread each."""
    config, seed = run.settings.training, run.settings.seed
    order = Order(
        run.base, bench.store.root, tuple(lessons), widened(config, len(lessons)), RECIPE, seed
    )
    threads = torch.get_num_threads()
    with training_beside(order) as shared:
        torch.set_num_threads(1)
        with found.phase("training"):
            found.carried = [train(one, config, bench, recipe=RECIPE, seed=seed) for one in lessons]
        with found.phase("waiting for the shared adapter"):
            run.report("waiting for the shared adapter", 0, 1)
            found.shared, found.shared_sft = shared()
            run.report("waiting for the shared adapter", 1, 1)
        torch.set_num_threads(threads)


def split(run: DemoRun, found: Found) -> None:
    """Draw dev and test requests; a ledger finds any overlap with what was trained on."""
    settings, seed = run.settings, run.settings.seed
    checkers = {skill.name: checked(skill, run.base) for skill in run.skills}
    used: dict[str, set[str]] = {}
    ledger = SplitLedger()
    for name, checker in checkers.items():
        asked = checker.tasks("train", settings.training.num_requests, seed=seed)
        used[name] = {task.id for task in asked}
        ledger.record("train", used[name])
    dev = held_out_items(
        checkers, num_items=settings.num_dev, seed=seed, exclude=used, ledger=ledger, split="dev"
    )
    for task in dev:
        found.dev.setdefault(task.family, []).append(task)
        used[task.family].add(task.id)
    found.items = held_out_items(
        checkers, num_items=settings.num_items, seed=seed, exclude=used, ledger=ledger
    )
    topics = {SkillSpec.from_json(s.metadata[CHECKER_KEY]).topic for s in run.skills}
    found.dev_strays = stray_requests(settings.num_stray, without=topics, seed=seed, split="dev")
    strays = stray_requests(settings.num_stray, without=topics, seed=seed, split="test")
    found.strays = stray_items(strays)


def publish(run: DemoRun, found: Found, served: Served, store: Store) -> None:
    """Load every version, attest what dev says of it, and let the router fitted on dev answer."""
    with found.phase("publishing"):
        for one in found.carried:
            admin(served, "publish", {"ref": one.version.ref})
    with found.phase("evidence on dev"):
        found.proofs = asyncio.run(_prove_all(run, found, served.url))
        for one in found.carried:
            attest(store, one.version, found.proofs[one.skill.name])
    with found.phase("router"):
        run.report("fitting the router", 0, 1)
        found.router = fit_router(
            found.carried,
            {name: proof.form for name, proof in found.proofs.items()},
            found.dev,
            found.dev_strays,
            base=found.base_digest,
            base_dir=run.base,
            seed=run.settings.seed,
        )
        found.router.save(run.out / "router")
        admin(served, "router", {"path": str((run.out / "router").absolute())})
        run.report("fitting the router", 1, 1)


async def _prove_all(run: DemoRun, found: Found, url: str) -> dict[str, Proof]:
    async with ServedPolicy(url) as policy:
        ask = AskServed(policy, run.settings.training.sampling)
        out = {}
        for done, one in enumerate(found.carried, 1):
            name, seed = one.skill.name, run.settings.seed
            dev = found.dev[name]
            out[name] = await prove(one, dev, ask=ask, base=found.base_digest, seed=seed)
            run.report("evidence on dev", done, len(found.carried))
        return out
