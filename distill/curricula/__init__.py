"""What is learned next, and what stands before an answer while it is learned. See README.md."""

from .bandit import SecBandit, absolute_advantages, shuffled
from .curriculum import CategoryCurriculum, Curriculum, CurriculumValue, GroupSeen, draw_categories
from .drawing import agreed, draw_by_stratum, draw_rows, within_quotas
from .ladder import Ladder
from .orders import NearHalf, Staged
from .profile import HARD, SkillProfile, hard_requests, spearman
from .uniform import Uniform

__all__ = [
    "HARD",
    "CategoryCurriculum",
    "Curriculum",
    "CurriculumValue",
    "GroupSeen",
    "Ladder",
    "NearHalf",
    "SecBandit",
    "SkillProfile",
    "Staged",
    "Uniform",
    "absolute_advantages",
    "agreed",
    "draw_by_stratum",
    "draw_categories",
    "draw_rows",
    "hard_requests",
    "shuffled",
    "spearman",
    "within_quotas",
]
