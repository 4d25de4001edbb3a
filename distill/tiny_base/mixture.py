"""What the base is pretrained on: one line a source. To add a world, add its lines to `PARTS`.

Shares are of trees. `warm` is the share in the first steps of fresh weights, which begin with
short procedures and single answers.
"""

import functools

from ..worlds.constraints import teaching as constraints
from ..worlds.facts import teaching as facts
from ..worlds.fg import teaching as fg
from ..worlds.household import teaching as household
from ..worlds.string_skills import teaching as strings
from . import practice
from .corpus import Part

SHORT = (0.7, 0.2, 0.1)
"""Shares of one, two and three steps, or depths, for what a model begins to learn."""

PARTS = (
    Part("string_skills.short", functools.partial(strings.follower, shares=SHORT), 0.0, warm=0.40),
    Part("string_skills.follower", strings.follower, 0.13),
    Part("string_skills.solver", strings.solver, 0.02, warm=0.10),
    Part("string_skills.author", strings.author, 0.12, warm=0.05),
    Part("facts.follower", facts.follower, 0.06, warm=0.10),
    Part("facts.solver", facts.solver, 0.01),
    Part("facts.pairs", practice.pairs, 0.02, warm=0.20),
    Part("facts.practice", practice.codes, 0.01),
    Part("facts.author", facts.author, 0.01),
    Part("constraints.follower", constraints.follower, 0.17, warm=0.05),
    Part("constraints.solver", constraints.solver, 0.01),
    Part("constraints.author", constraints.author, 0.02),
    Part("household.follower", household.follower, 0.06, warm=0.05),
    Part("household.solver", household.solver, 0.01),
    Part("household.practice", practice.homes, 0.01),
    Part("household.author", household.author, 0.02),
    Part("fg.follower", fg.follower, 0.12, warm=0.05),
    Part("fg.short", functools.partial(fg.follower, shares=SHORT), 0.08),
    Part("fg.solver", fg.solver, 0.01),
    Part("fg.practice", practice.definitions, 0.02),
    Part("fg.apply", practice.applications, 0.08),
    Part("fg.author", fg.author, 0.01),
)

MIXTURE = {part.name: part.share for part in PARTS if part.share}
WARM_MIXTURE = {part.name: part.warm for part in PARTS if part.warm}
