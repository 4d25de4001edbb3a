"""The second half of the demo: every arm on every item, harm, agreement and cost."""

from collections.abc import Sequence

from ..evaluation import Arm, EvaluationError, ItemLog, evaluate
from ..evaluation.types import ItemResult
from ..policy import ServedPolicy
from ..skill_arms import (
    AskServed,
    auto_arm,
    irrelevant_arm,
    named_arm,
    none_arm,
    shared_arm,
    text_arm,
    wrong_arm,
)
from ..workbench import Workbench
from .cost import measure_cost
from .harm import measure_harm
from .numeric import measure_numeric, measure_shared_numeric
from .state import DemoRun, Found


async def measure(run: DemoRun, found: Found, bench: Workbench, url: str) -> None:
    settings = run.settings
    refs = {one.skill.name: one.model for one in found.carried}
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
        await ask_cost(run, found, url, prefix_cache=True)


async def measure_shared(run: DemoRun, found: Found, bench: Workbench, url: str) -> None:
    assert found.shared is not None
    arm = shared_arm(f"{found.shared.ref}:adapter")
    async with ServedPolicy(url) as policy:
        ask = AskServed(policy, run.settings.training.sampling)
        with found.phase("evaluation"):
            await _ask_all(run, found, [arm], ask)
    found.arms.append(arm)
    with found.phase("vLLM against PEFT"):
        assert found.numeric is not None
        row = await measure_shared_numeric(
            url, found.shared, found.carried, bench, num_rows=run.settings.numeric_rows
        )
        rows = (*found.numeric.rows, row)
        found.numeric = found.numeric.model_copy(update={"rows": rows})
    with found.phase("cost, shared adapter"):
        await ask_cost(run, found, url, prefix_cache=True, arms=[arm])


async def ask_cost(
    run: DemoRun, found: Found, url: str, *, prefix_cache: bool, arms: Sequence[Arm] | None = None
) -> None:
    found.cost += await measure_cost(
        url,
        arms or found.arms,
        found.items,
        prefix_cache=prefix_cache,
        settings=run.settings,
        report=run.report,
    )


BY_WEIGHTS = ("s2l", "wrong", "shared")
"""Arms that are about adapters: an answer in another form would be another arm's."""


async def _ask_all(run: DemoRun, found: Found, arms: Sequence[Arm], ask: AskServed) -> None:
    """Ask every arm every test item; results also go to `items.jsonl` as they arrive."""
    for arm in arms:
        done = 0

        def count(result: ItemResult, *, arm: Arm = arm) -> None:
            nonlocal done
            done += 1
            log.write(result)
            run.report(f"evaluating {arm.name}", done, len(found.items))
            if arm.name in BY_WEIGHTS and not result.error and result.form != "adapter":
                raise EvaluationError(
                    f"arm {arm.name!r} was answered in form {result.form!r}, expected 'adapter'"
                )

        with ItemLog(run.out / "items.jsonl") as log:
            found.results += await evaluate(
                [arm], found.items, ask=ask, concurrency=run.settings.concurrency, on_result=count
            )
