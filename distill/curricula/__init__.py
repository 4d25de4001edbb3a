"""What is learned next: profiles of missing skills, and rows drawn by weight. See README.md."""

from .drawing import agreed, draw_by_stratum, draw_rows, within_quotas
from .profile import HARD, SkillProfile, hard_requests, spearman

__all__ = [
    "HARD",
    "SkillProfile",
    "agreed",
    "draw_by_stratum",
    "draw_rows",
    "hard_requests",
    "spearman",
    "within_quotas",
]
