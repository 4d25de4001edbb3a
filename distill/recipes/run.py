"""How a recipe is run: what it is given, what it gives back, and the verdict made of it.

Owns nothing of any paper. A recipe is a settings class, one function `run(config, context)` and a
`Recipe` that declares its worlds, its controls and its method's arm. `context.ask` asks its arms;
`context.metered` counts what its rollouts spend, `context.teacher` what is asked of a teacher.
"""

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from pydantic import BaseModel

from ...adapters import Store, UsageError
from .. import evaluation
from ..evaluation import (
    Ask,
    Budget,
    Controls,
    Criterion,
    EvaluationError,
    Interval,
    Judgement,
    Known,
    RecipeVerdict,
    Trial,
    code_digest,
    judge,
    recipe_verdict,
    require_controls,
    require_declared,
)
from ..evaluation.types import Arm, Item, ItemResult
from ..policy import Policy, Sampling
from ..provenance import code_revision
from ..serving import Launch
from ..skill_arms import BASE
from ..teachers.asking import AskedTeacher
from ..teachers.records import Records
from ..teachers.types import Source
from ..workbench import Report, quiet
from .metering import Metered

DEFAULT_WORLD = "string_skills"


@dataclass(frozen=True)
class RecipeContext:
    """What every recipe is given: a base, an empty store, a folder, a seed and a way to serve."""

    base: Path
    store: Store
    work: Path
    seed: int
    launch: Launch
    report: Report = quiet
    world: str = DEFAULT_WORLD
    """One of the worlds that the recipe declares."""
    full: bool = False
    """Whether the full set of arms is asked; only where the recipe declares one."""
    budget: Budget = field(default_factory=Budget)
    """What may be spent on learning; asking the arms is not counted."""
    trial: Trial = field(default_factory=Trial)
    """Where the experiment is frozen, cached and logged."""
    controls: Controls = field(default_factory=dict)
    """Those that the recipe declares; `run_once` fills them in."""

    def metered(self, policy: Policy) -> Policy:
        """The policy under this run's budget; whatever demonstrates or samples goes through it."""
        return Metered(policy, self.budget)

    def teacher(
        self,
        source: Source | None,
        *,
        records: Records | None = None,
        label: str = "",
        attempts: int = 3,
    ) -> AskedTeacher:
        """A teacher under this run's budget: every call and its tokens are counted.

        Args:
            source: who answers; a policy behind it is not metered too, or its tokens count twice.
            records, label, attempts: as `AskedTeacher` takes them.

        Raises:
            UsageError: neither a source nor records with a label.
        """
        return AskedTeacher(
            source, attempts=attempts, records=records, budget=self.budget, label=label
        )

    async def ask(
        self,
        arms: Sequence[Arm],
        items: Sequence[Item],
        *,
        criterion: Criterion,
        ask: Ask,
        base: str,
        sampling: Sampling,
        weights: Mapping[str, str] | None = None,
    ) -> tuple[ItemResult, ...]:
        """Ask every arm every item, or reuse the answers that an earlier run had.

        Args:
            base: family digest of the base.
            weights: model string of each adapter -> digest of its weights.

        Raises:
            EvaluationError: a control or an arm is missing, or this is not the frozen experiment.
        """
        known = Known(base, {BASE: "", **(weights or {})}, asdict(sampling))
        return await self.trial.ask(
            arms, items, criterion=criterion, controls=self.controls, ask=ask, known=known
        )


@dataclass(frozen=True)
class Finished:
    """What a recipe gives back: results of items under its criterion, and what they cost."""

    criterion: Criterion
    results: tuple[ItemResult, ...]
    rollouts: int
    base: str
    notes: tuple[str, ...] = ()
    numbers: Mapping[str, float | Interval] = field(default_factory=dict)
    """What `measured(...)` clauses of the criterion ask for, by name."""
    pairs: tuple[tuple[str, str], ...] = ()
    """Comparisons that are reported beside those of the criterion."""


@dataclass(frozen=True)
class Recipe:
    """One row of the table: settings, the function that runs them, and what it declares."""

    settings: type[BaseModel]
    run: Callable[..., Finished]
    source: str = ""
    """The paper, with its arXiv id."""
    method: str = ""
    """The arm that `recipe compare` takes for this recipe."""
    worlds: tuple[str, ...] = (DEFAULT_WORLD,)
    """Worlds it can run on; the first is its own."""
    controls: Controls = field(default_factory=dict)
    """Every control of `evaluation.CONTROLS`: the core arm that is it, or why there is none."""
    full_controls: Controls | None = None
    """The same for the full set of arms; None where there is no full set."""
    fit: Callable[..., BaseModel] | None = None
    """`fit(settings, budget)`: settings that spend no more; None where they stay as they are."""

    def settings_within(self, config: BaseModel, budget: Budget) -> BaseModel:
        """The settings, made to fit a budget that has limits."""
        return self.fit(config, budget) if self.fit and budget.limits else config


@dataclass(frozen=True)
class Run:
    """One recipe on one seed: the verdict and what it was made of."""

    verdict: RecipeVerdict
    judgement: Judgement
    results: tuple[ItemResult, ...]


def verdict_of(
    name: str, recipe: Recipe, config: BaseModel, context: RecipeContext
) -> RecipeVerdict:
    """Run a recipe and judge it by the criterion that it wrote before."""
    return run_once(name, recipe, config, context).verdict


def run_once(name: str, recipe: Recipe, config: BaseModel, context: RecipeContext) -> Run:
    """Run a recipe, keep its results, and judge it by the criterion that it wrote before.

    Raises:
        UsageError: a world or a set of arms that the recipe does not have.
        EvaluationError: a control that nobody speaks of, or arms that are not what was declared.
    """
    controls = _declared(name, recipe, context)
    context.trial.code = code_digest([_file_of(recipe), Path(evaluation.__file__).parent])
    started = time.perf_counter()
    done = recipe.run(
        recipe.settings_within(config, context.budget), replace(context, controls=controls)
    )
    require_controls(controls, {result.arm for result in done.results})
    scope = "full" if context.full else "core"
    if done.criterion.scope != scope:
        raise EvaluationError(
            f"recipe {name!r} was asked for its {scope} arms and judged its "
            f"{done.criterion.scope} ones: its criterion must carry scope={scope!r}"
        )
    judgement = judge(
        done.results, done.criterion, pairs=done.pairs, numbers=done.numbers, seed=context.seed
    )
    verdict = recipe_verdict(
        judgement,
        done.criterion,
        recipe=name,
        source=recipe.source,
        seeds={"run": context.seed, "bootstrap": context.seed},
        base=done.base,
        code=code_revision(),
        wall_s=round(time.perf_counter() - started, 1),
        rollouts=done.rollouts,
        world="" if context.world == recipe.worlds[0] else context.world,
        notes=(*done.notes, *_reused(context.trial)),
        controls=controls,
        frozen=context.trial.frozen,
        reused=context.trial.reused,
        budget=context.budget,
    )
    return Run(verdict, judgement, done.results)


def _declared(name: str, recipe: Recipe, context: RecipeContext) -> Controls:
    """The controls of the wanted set of arms, once everything that can be refused early is."""
    if context.world not in recipe.worlds:
        raise UsageError(
            f"recipe {name!r} does not run on world {context.world!r}; it declares "
            f"{', '.join(recipe.worlds)}"
        )
    if context.full and recipe.full_controls is None:
        raise UsageError(f"recipe {name!r} has no full set of arms; leave out --full")
    controls = recipe.controls
    if context.full and recipe.full_controls is not None:
        controls = recipe.full_controls
    require_declared(controls)
    return controls


def num_lines(recipe: Recipe) -> int:
    """Lines of the file that a recipe is, all of them."""
    return len(_file_of(recipe).read_text(encoding="utf-8").splitlines())


def _file_of(recipe: Recipe) -> Path:
    return Path(inspect.getfile(recipe.run))


def _reused(trial: Trial) -> tuple[str, ...]:
    if not trial.reused:
        return ()
    return (f"answers of {', '.join(sorted(trial.reused))} were reused from an earlier run",)
