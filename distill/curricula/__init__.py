"""What is learned next, and what stands before an answer while it is learned. See README.md."""

from .audit import AuditRule, Decision, audit, most_used, observation_of
from .bandit import SecBandit, absolute_advantages, shuffled
from .curriculum import CategoryCurriculum, Curriculum, CurriculumValue, GroupSeen, draw_categories
from .drafts import (
    NO_DRAFT,
    Draft,
    DraftFilter,
    deal,
    derange,
    edit_share,
    random_draft,
    with_draft,
)
from .drawing import agreed, draw_by_stratum, draw_of_each, draw_rows, within_quotas
from .hindsight import Hindsight, opid_term, random_term, routed, shuffled_hindsights
from .hint_credit import (
    AdhintCredit,
    HybridCredit,
    adhint_credit,
    hint_weights,
    most_uncertain,
    prefix_credit,
)
from .hints import HintRule, PrefixShares, difficulty, group_prefixes, shown_prefix
from .ladder import Ladder
from .orders import NearHalf, Staged
from .profile import HARD, SkillProfile, hard_requests, spearman
from .schedules import decay, linear_budgets, phase_of
from .uniform import Uniform
from .withdrawal import SkillGain, Withdrawal, compression_bonus, family_gain, random_gains

__all__ = [
    "HARD",
    "NO_DRAFT",
    "AdhintCredit",
    "AuditRule",
    "CategoryCurriculum",
    "Curriculum",
    "CurriculumValue",
    "Decision",
    "Draft",
    "DraftFilter",
    "GroupSeen",
    "Hindsight",
    "HintRule",
    "HybridCredit",
    "Ladder",
    "NearHalf",
    "PrefixShares",
    "SecBandit",
    "SkillGain",
    "SkillProfile",
    "Staged",
    "Uniform",
    "Withdrawal",
    "absolute_advantages",
    "adhint_credit",
    "agreed",
    "audit",
    "compression_bonus",
    "deal",
    "decay",
    "derange",
    "difficulty",
    "draw_by_stratum",
    "draw_categories",
    "draw_of_each",
    "draw_rows",
    "edit_share",
    "family_gain",
    "group_prefixes",
    "hard_requests",
    "hint_weights",
    "linear_budgets",
    "most_uncertain",
    "most_used",
    "observation_of",
    "opid_term",
    "phase_of",
    "prefix_credit",
    "random_draft",
    "random_gains",
    "random_term",
    "routed",
    "shown_prefix",
    "shuffled",
    "shuffled_hindsights",
    "spearman",
    "with_draft",
    "within_quotas",
]
