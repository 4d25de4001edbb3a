"""What is learned next, and what stands before an answer while it is learned. See README.md."""

from .audit import AuditRule, Decision, audit, most_used, observation_of
from .bandit import SecBandit, absolute_advantages, shuffled
from .curriculum import CategoryCurriculum, Curriculum, CurriculumValue, GroupSeen, draw_categories
from .drawing import agreed, draw_by_stratum, draw_rows, within_quotas
from .ladder import Ladder
from .orders import NearHalf, Staged
from .profile import HARD, SkillProfile, hard_requests, spearman
from .schedules import decay, linear_budgets, phase_of
from .uniform import Uniform
from .withdrawal import SkillGain, Withdrawal, compression_bonus, family_gain, random_gains

__all__ = [
    "HARD",
    "AuditRule",
    "CategoryCurriculum",
    "Curriculum",
    "CurriculumValue",
    "Decision",
    "GroupSeen",
    "Ladder",
    "NearHalf",
    "SecBandit",
    "SkillGain",
    "SkillProfile",
    "Staged",
    "Uniform",
    "Withdrawal",
    "absolute_advantages",
    "agreed",
    "audit",
    "compression_bonus",
    "decay",
    "draw_by_stratum",
    "draw_categories",
    "draw_rows",
    "family_gain",
    "hard_requests",
    "linear_budgets",
    "most_used",
    "observation_of",
    "phase_of",
    "random_gains",
    "shuffled",
    "spearman",
    "within_quotas",
]
