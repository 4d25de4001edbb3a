"""Facts: small tables of codes, recalled, changed and combined."""

from .held_out import askings, draw_spec, is_asking_held_out, is_fact_held_out, is_held_out
from .knowledge import KnowledgeSplit, documents, knowledge_split, tasks_across
from .manipulations import MANIPULATIONS, Fact, Manipulation, of_level
from .spec import FactsSpec
from .tasks import FactTask, asking, draw_tasks, facts_skill, spec_of, worked_answer
from .world import WORLD

__all__ = [
    "MANIPULATIONS",
    "WORLD",
    "Fact",
    "FactTask",
    "FactsSpec",
    "KnowledgeSplit",
    "Manipulation",
    "asking",
    "askings",
    "documents",
    "draw_spec",
    "draw_tasks",
    "facts_skill",
    "is_asking_held_out",
    "is_fact_held_out",
    "is_held_out",
    "knowledge_split",
    "of_level",
    "spec_of",
    "tasks_across",
    "worked_answer",
]
