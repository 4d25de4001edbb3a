"""String-transformation skills: 20 parameterised primitives, 1 to 3 steps, an output format."""

from ..metadata import CHECKER_KEY
from .answers import score, worked_answer
from .held_out import held_out_spec, held_out_specs
from .spec import Operation, SkillSpec
from .split import held_out_parts, is_held_out
from .tasks import (
    StringTask,
    draw_tasks,
    plain_tasks,
    stray_requests,
    string_skill,
)
from .texts import irrelevant_body, plain_request, random_spec
from .world import WORLD

__all__ = [
    "CHECKER_KEY",
    "WORLD",
    "Operation",
    "SkillSpec",
    "StringTask",
    "draw_tasks",
    "held_out_parts",
    "held_out_spec",
    "held_out_specs",
    "irrelevant_body",
    "is_held_out",
    "plain_request",
    "plain_tasks",
    "random_spec",
    "score",
    "stray_requests",
    "string_skill",
    "worked_answer",
]
