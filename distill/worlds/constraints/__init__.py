"""Checkable constraints: 12 predicates on lists of letters, 1 to 4 in one skill."""

from .spec import Constraint, ConstraintSpec
from .split import held_out_parts, is_held_out
from .tasks import ConstraintTask, constraint_skill, draw_tasks
from .world import WORLD

__all__ = [
    "WORLD",
    "Constraint",
    "ConstraintSpec",
    "ConstraintTask",
    "constraint_skill",
    "draw_tasks",
    "held_out_parts",
    "is_held_out",
]
