"""Named functions on short lists: f(x), g(f(x)), and deeper."""

from .answers import Failure, failure, trace, worked_answer
from .draws import draw_call, draw_functions, draw_spec
from .held_out import chains, held_out_compositions, is_held_out, is_name_held_out
from .spec import NAMES, Chain, Compositions, FunctionsSpec
from .tasks import CallTask, asking, atoms, draw_tasks, functions_skill, spec_of
from .world import WORLD

__all__ = [
    "NAMES",
    "WORLD",
    "CallTask",
    "Chain",
    "Compositions",
    "Failure",
    "FunctionsSpec",
    "asking",
    "atoms",
    "chains",
    "draw_call",
    "draw_functions",
    "draw_spec",
    "draw_tasks",
    "failure",
    "functions_skill",
    "held_out_compositions",
    "is_held_out",
    "is_name_held_out",
    "spec_of",
    "trace",
    "worked_answer",
]
