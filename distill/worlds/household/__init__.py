"""A household in text: six shapes of chores in small rooms, with a planner as expert."""

from .environment import HouseholdEnvironment, Start
from .rooms import held_out_spec, open_spec
from .spec import SHAPES, HouseholdSpec, Shape
from .split import combinations, is_held_out, is_open
from .tasks import HouseholdTask, draw_tasks, household_skill
from .world import WORLD

__all__ = [
    "SHAPES",
    "WORLD",
    "HouseholdEnvironment",
    "HouseholdSpec",
    "HouseholdTask",
    "Shape",
    "Start",
    "combinations",
    "draw_tasks",
    "held_out_spec",
    "household_skill",
    "is_held_out",
    "is_open",
    "open_spec",
]
