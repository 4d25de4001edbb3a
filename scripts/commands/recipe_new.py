"""`skillweave recipe new NAME`: a recipe of one's own to start from, which runs as it is.

Owns the template. It is tested by being run, so it never shows what no longer works.
"""

import re
from pathlib import Path

from ...adapters import Conflict, UsageError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

_RECIPE = '''"""{name}: what the paper claims, in one sentence (Title, arXiv:0000.00000).

The method: the text of a skill, said twice. Departs: where we differ, and why.
"""

from typing import Literal

from skillweave.adapters.skills import system_prompt
from skillweave.distill.evaluation import (
    Above, Absent, Arm, Criterion, diff, oracle_arm, shuffled_arm,
)
from skillweave.distill.recipes import Finished, Recipe, RecipeContext
from skillweave.distill.recipes.course import open_course
from skillweave.distill.skill_arms import none_arm, text_arm
from skillweave.distill.skill_training import SkillTraining

CRITERION = Criterion(  # written before the run; its digest goes into the verdict
    statement="What is said twice works, and not by its words alone.",
    preconditions=(Above(what=diff("text", "none"), bar=0.30),),
    clauses=(Above(what=diff("{name}", "shuffled"), bar=0.30),),
)


class Settings(SkillTraining):
    type: Literal["{name}"] = "{name}"
    levels: tuple[int, ...] = (1, 1, 2, 2)  # one skill each
    num_items: int = 50  # requests of each skill


def run(config: Settings, context: RecipeContext) -> Finished:
    with open_course("{name}", config, context, adapters=1) as course:
        skills = course.draw_skills(config.levels)
        twice = {{skill.name: "\\n\\n".join([system_prompt(skill)] * 2) for skill in skills}}
        arms = [none_arm(), text_arm(skills), shuffled_arm(skills, seed=context.seed), oracle_arm()]
        arms += [Arm("{name}", "The text, twice.", systems=twice)]  # the method
        items = course.tasks(skills, "test", num_items=config.num_items)
        return course.judged(arms, items, criterion=CRITERION)


RECIPE = Recipe(
    Settings,
    run,
    source="Title, arXiv:0000.00000",
    method="{name}",  # the arm that `skillweave recipe compare` takes
    worlds=("string_skills", "facts"),
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
