"""`skillweave recipe new NAME`: a recipe of one's own to start from, which runs as it is.

Owns the template. It is tested by being run, so it never shows what no longer works.
"""

import re
from pathlib import Path

from ...adapters import Conflict, UsageError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

_RECIPE = '''"""{name}: what the paper claims, in one sentence (Title, arXiv:0000.00000).

The method: the text of a skill, said twice. Replace `method`, or train adapters and name them in
the arm's `models` (skillweave/distill/recipes/s2l.py does). Departs: where we differ, and why.
"""

import asyncio
from typing import Literal

from pydantic import BaseModel, ConfigDict
from skillweave.adapters import identify_base
from skillweave.adapters.skills import Skill, system_prompt
from skillweave.distill.evaluation import (
    Above, Absent, Arm, Criterion, ItemResult, diff, oracle_arm, shuffled_arm,
)
from skillweave.distill.policy import Sampling, ServedPolicy
from skillweave.distill.recipes import Finished, Recipe, RecipeContext
from skillweave.distill.recipes.drawing import draw_items, draw_skills
from skillweave.distill.serving import ServePlan
from skillweave.distill.skill_arms import AskServed, none_arm, text_arm

CRITERION = Criterion(  # written before the run; its digest goes into the verdict
    statement="What is said twice works, and not by its words alone.",
    preconditions=(Above(what=diff("text", "none"), bar=0.30),),
    clauses=(Above(what=diff("{name}", "shuffled"), bar=0.30),),
)


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["{name}"] = "{name}"
    levels: tuple[int, ...] = (1, 1, 2, 2)  # one skill each
    num_items: int = 50  # requests of each skill
    sampling: Sampling = Sampling()


def method(skill: Skill) -> str:
    return "\\n\\n".join([system_prompt(skill)] * 2)


def run(config: Settings, context: RecipeContext) -> Finished:
    seed, folder = context.seed, context.work / "skills"
    skills = draw_skills(context.world, config.levels, folder=folder, seed=seed)
    items = draw_items(context.world, skills, num_items=config.num_items, seed=seed)
    mine = Arm("{name}", "The text, twice.", systems={{s.name: method(s) for s in skills}})
    arms = [none_arm(), text_arm(skills), shuffled_arm(skills, seed=seed), oracle_arm(), mine]
    base = identify_base(context.base).family_digest

    async def ask(url: str) -> tuple[ItemResult, ...]:
        async with ServedPolicy(url) as policy:  # what teaches goes through context.metered(policy)
            return await context.ask(
                arms, items, criterion=CRITERION, ask=AskServed(policy, config.sampling),
                base=base, sampling=config.sampling,
            )

    with context.launch(ServePlan(context.base, context.store.root, rank=8, slots=1)) as served:
        results = asyncio.run(ask(served.url))
    return Finished(CRITERION, results, context.budget.spent["rollouts"], base)


RECIPE = Recipe(
    Settings,
    run,
    source="Title, arXiv:0000.00000",
    method="{name}",  # the arm that `skillweave recipe compare` takes
    worlds=("string_skills",),
    controls={{
        "none": "none",
        "oracle": "oracle",
        "shuffled": "shuffled",
        "random": Absent("no weights are changed"),
        "placebo": Absent("the shuffled text has the same length"),
        "budget": Absent("nothing is learned, so nothing is spent"),
    }},
)
'''

_SETTINGS = """# Settings of {name}.py; what is not named keeps its default there.
type = "{name}"
levels = [1, 1, 2, 2]
num_items = 50
"""


def write_recipe(name: str, folder: Path) -> tuple[Path, Path]:
    """Write `NAME.py` and `NAME.toml`.

    Raises:
        UsageError: a name that is no module's name, or no such folder.
        Conflict: one of the files is there already; neither is written.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"recipe name {name!r}: expected a small letter, then at most 39 small letters, digits "
            "and underscores"
        )
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}; make it first")
    texts = {
        folder / f"{name}.py": _RECIPE.format(name=name),
        folder / f"{name}.toml": _SETTINGS.format(name=name),
    }
    for path in texts:
        if path.exists():
            raise Conflict(f"{path} exists: a template never overwrites; choose another name")
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    code, settings = texts
    return code, settings
