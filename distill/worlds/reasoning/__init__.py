"""An external world: a safe subset of reasoning-gym, an optional extra (`envs-text`)."""

from .faces import FACES, Face
from .tasks import ReasoningSpec, ReasoningTask, draw_tasks, reasoning_skill, split_of
from .world import WORLD

__all__ = [
    "FACES",
    "WORLD",
    "Face",
    "ReasoningSpec",
    "ReasoningTask",
    "draw_tasks",
    "reasoning_skill",
    "split_of",
]
