"""S2L: a skill text becomes a LoRA adapter (Skill-to-LoRA, arXiv:2606.16769).

The teacher `pi_T` reads the whole text `t_s` of skill `s` and answers requests `x`; the answers
that the verifier passes are the demonstrations. The adapter learns them with the text removed:

    L = - sum_t log pi_(base + adapter)(y_t | x, y_<t),   y ~ pi_T(. | t_s, x)

over the assistant's tokens `t`. The teacher is the base itself, behind the served engine.

Departs: only verified demonstrations are kept (the paper reports no filter) and the yield is
recorded; every linear module gets an update, not q and v alone, because the base is small; rate
and epochs are ours (the paper's were not found; rank 16, alpha 32 and 64 rows are its own, our
rows are more); the wrong adapter is another skill's by a fixed derangement, not the least similar
one's.
"""

from typing import Literal

from pydantic import Field

from ..evaluation import Above, Absent, Budget, Criterion, diff
from ..skill_arms import named_arm, none_arm, text_arm, wrong_arm
from ..skill_training import SkillTraining
from .course import open_course
from .lessons import requests_within
from .run import Finished, Recipe, RecipeContext

CRITERION = Criterion(
    statement="The adapter replaces the text of its skill, and it is this adapter that does it.",
    preconditions=(Above(what=diff("text", "none"), bar=0.30),),
    clauses=(
        Above(what=diff("s2l", "text"), bar=-0.03, on="lower"),
        Above(what=diff("s2l", "none"), bar=0.30),
        Above(what=diff("s2l", "wrong"), bar=0.30),
    ),
)


class S2L(SkillTraining):
    """Settings of the recipe; the fields are those of skill training."""

    type: Literal["s2l"] = "s2l"
    levels: tuple[int, ...] = Field(default=(1, 2, 2, 2, 3, 3), min_length=2)
    """Levels of the skills that are drawn: one number a skill."""
    num_items: int = Field(default=100, ge=1)
    """Held-out requests of every skill in the evaluation."""


def run(config: S2L, context: RecipeContext) -> Finished:
    """Teach, train, serve and judge the core arms: none, text, s2l, wrong.

    Every skill takes part, also one whose text does not help and one that could not be taught:
    nothing is selected on the outcome. A skill without an adapter is asked as the base alone.
    """
    with open_course("s2l", config, context, adapters=len(config.levels)) as course:
        skills = course.draw_skills(config.levels)
        models = course.carry(course.teach(skills))
        arms = [none_arm(), text_arm(skills), named_arm(models), wrong_arm(models)]
        items = course.tasks(skills, "test", num_items=config.num_items)
        return course.judged(arms, items, criterion=CRITERION)


def fit(config: S2L, budget: Budget) -> S2L:
    """As many requests a skill as the rollouts allow; see `requests_within`."""
    return requests_within(config, budget, num_skills=len(config.levels))


RECIPE = Recipe(
    S2L,
    run,
    source="Skill-to-LoRA, arXiv:2606.16769",
    method="s2l",
    worlds=("string_skills", "facts"),
    controls={
        "none": "none",
        "oracle": Absent("the text arm is the ceiling that the claim speaks of"),
        "shuffled": Absent("the method has no text in its prompt"),
        "random": Absent("the wrong arm is stronger: a trained adapter, of another skill"),
        "placebo": Absent("the method has no text in its prompt; the demo has this arm"),
        "budget": Absent("nothing is searched or selected, so there is nothing to buy"),
    },
    fit=fit,
)
