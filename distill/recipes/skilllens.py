"""SkillLens: what skills made by models gain and how often they hurt (arXiv:2605.23899).

Domain `d` is a held-out skill of a world; an extractor `e` sees three solved requests of it and
writes one text; a target `t` answers further requests with that text and without:

    gain(d, t, e) = score of t on d with the text of e - score of t on d without

Of the requests of a domain some need the skill and some say everything themselves: without these
a target would have nothing to lose, and no text could hurt it.

Extractors with set faults (faithful, vague, over-specific, wrong) are rules that know the truth:
they show that planted harm is found (machinery), and are the preconditions of the criterion. Its
clauses speak of a model as author (effect): the served base writes `num_drafts` drafts, of which
`guided` takes the one that the meta-skill's rubric likes best and `draft` one by chance, so both
arms paid for the same drafts. What decides are the core arms; there is no other set.

Departs: the paper's meta-skill is read by the extracting model; the shipped base follows no free
instruction, so ours acts by choosing. Targets are two manners of sampling from one base, not six
models; the pools of experience hold successes alone; the aggregates are ours (`lifecycle.py`).
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ..evaluation import (
    Above,
    Absent,
    Arm,
    Below,
    Budget,
    BudgetExceeded,
    Criterion,
    agreement,
    better_judge,
    diff,
    lifecycle,
    matrix_notes,
    measured,
    oracle_arm,
)
from ..extractors import Experience, experience, extract_all, scored
from ..plain_requests import plain_requests
from ..policy import Sampling
from ..rubric import rubric
from ..skill_arms import none_arm
from ..skill_training import SkillTraining
from ..targets import AskTargets, Target, for_targets
from ..worlds.authoring import NUM_EXAMPLES
from ..worlds.metadata import WORLD_KEY
from .course import Course, open_course
from .drawing import draw_skills
from .run import Finished, Recipe, RecipeContext

WRONG_HARMS = "negative transfer of wrong minus faithful"
VAGUE_HARMS = "negative transfer of vague minus faithful"
GUIDE_SPARES = "negative transfer of draft minus guided"
RUBRIC_RANKS = "pairs ranked right by the rubric minus by length"

CRITERION = Criterion(
    statement="Skills that a model writes help on average, a meta-skill lowers the share of them "
    "that hurt, and its rubric ranks skills better than their length does.",
    preconditions=(
        Above(what=diff("faithful", "none"), bar=0.0),
        Below(what=diff("wrong", "none"), bar=0.0),
        Above(what=measured(WRONG_HARMS), bar=0.0, on="lower"),
        Above(what=measured(VAGUE_HARMS), bar=0.0, on="lower"),
    ),
    clauses=(
        Above(what=diff("draft", "none"), bar=0.0),
        Above(what=measured(GUIDE_SPARES), bar=0.0, on="lower"),
        Above(what=measured(RUBRIC_RANKS), bar=0.0, on="lower"),
    ),
)
LEVELS = (1, 1, 1, 2, 2, 2, 3, 3)


class SkillLens(BaseModel):
    """Settings of the recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    type: Literal["skilllens"] = "skilllens"
    domains: Mapping[str, tuple[int, ...]] = Field(
        default={"string_skills": LEVELS, "constraints": LEVELS, "facts": LEVELS}, min_length=1
    )
    """World of one turn -> levels of its skills: one number a domain, at least two of them."""
    num_items: int = Field(default=8, ge=1)
    """Held-out requests of a domain that need its skill."""
    num_plain: int = Field(default=4, ge=1)
    """Requests of a domain that say everything themselves."""
    num_drafts: int = Field(default=8, ge=2)
    """Drafts that the model writes of every domain."""
    sampling: Sampling = Sampling()
    """How the stronger target answers."""
    weaker: Sampling = Sampling(temperature=1.0, seed=0)
    """How the weaker target answers."""


def run(config: SkillLens, context: RecipeContext) -> Finished:
    """Extract from every domain in six ways; ask both targets with each text and without."""
    training = SkillTraining(sampling=config.sampling)  # nothing is trained
    seed = context.seed
    with open_course("skilllens", training, context, adapters=1) as course:
        told = _experiences(config, course)
        made = course.with_policy(
            lambda policy: extract_all(policy, told, num_drafts=config.num_drafts, seed=seed)
        )
        tasks = course.tasks([one.skill for one in told], "test", num_items=config.num_items)
        for skill in (one.skill for one in told):
            world = skill.metadata[WORLD_KEY]
            tasks += plain_requests(world, skill.name, config.num_plain, seed=seed)
        targets = [Target("greedy", config.sampling), Target("weaker", config.weaker)]
        arms = [none_arm(), oracle_arm(), *(_arm(name, told, made[name]) for name in made)]
        items = for_targets(tasks, targets)
        results = course.ask(arms, items, criterion=CRITERION, asking=AskTargets)
        matrix = lifecycle(results)
        by_rubric = scored(told, made, lambda text, one: rubric(text, one.solved).total)
        by_length = scored(told, made, lambda text, one: float(len(text)))
        numbers = {
            WRONG_HARMS: matrix.more_negative("wrong", "faithful", seed=seed),
            VAGUE_HARMS: matrix.more_negative("vague", "faithful", seed=seed),
            GUIDE_SPARES: matrix.more_negative("draft", "guided", seed=seed),
            RUBRIC_RANKS: better_judge(matrix, by_rubric, by_length, seed=seed),
        }
        right = [agreement(matrix, scores).estimate for scores in (by_rubric, by_length)]
        said = f"pairs ranked right: {right[0]:.3f} by the rubric, {right[1]:.3f} by length"
        notes = (*matrix_notes(matrix, seed=seed), said)
        return course.finished(results, criterion=CRITERION, notes=notes, numbers=numbers)


def _experiences(config: SkillLens, course: Course) -> list[Experience]:
    """Three solved requests of every domain, beside the next skill of its world."""
    out = []
    for world, levels in config.domains.items():
        folder = course.context.work / "skills" / world
        skills = draw_skills(world, levels, folder=folder, seed=course.context.seed)
        for skill, other in zip(skills, (*skills[1:], skills[0]), strict=True):
            shown = course.tasks([skill], "train", num_items=NUM_EXAMPLES)
            out.append(experience(skill, shown, other=other.body))
    return out


def _arm(name: str, told: list[Experience], texts: list[str]) -> Arm:
    """An empty text is none at all."""
    systems = {one.skill.name: text for one, text in zip(told, texts, strict=True) if text.strip()}
    return Arm(name, f"The text of the extractor {name!r} in the prompt.", systems=systems)


def fit(config: SkillLens, budget: Budget) -> SkillLens:
    """As many drafts a domain as the rollouts allow.

    Raises:
        BudgetExceeded: fewer than two, between which nothing can be chosen.
    """
    num_domains = sum(len(levels) for levels in config.domains.values())
    limit = budget.limits.get("rollouts", config.num_drafts * num_domains)
    if limit < 2 * num_domains:
        raise BudgetExceeded(
            f"{limit} rollouts are too few for {num_domains} domains: expected at least "
            f"{2 * num_domains}; raise the budget or name fewer domains"
        )
    return config.model_copy(update={"num_drafts": min(config.num_drafts, limit // num_domains)})


RECIPE = Recipe(
    SkillLens,
    run,
    source="SkillLens, arXiv:2605.23899",
    method="guided",
    controls={
        "none": "none",
        "oracle": "oracle",
        "shuffled": Absent("the wrong extractor is stronger: whole sentences that mislead"),
        "random": Absent("no weights are changed"),
        "placebo": "vague",
        "budget": "draft",
    },
    fit=fit,
)
