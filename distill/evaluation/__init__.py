"""Matched arms, paired intervals clustered by skill, criteria written before the run.

See README.md in this folder for the file table.
"""

from .criterion import (
    Above,
    Below,
    Checked,
    ClauseResult,
    Criterion,
    Within,
    check,
    diff,
    mean,
    measured,
)
from .errors import EvaluationError, TooManyFailures
from .evaluator import Ask, evaluate, skill_of
from .item_log import ItemLog
from .stats import (
    Discordant,
    Interval,
    clustered_mean,
    clustered_p_value,
    discordant,
    mcnemar_exact,
    paired_difference,
    two_stage_mean,
)
from .summary import Judgement, by_arm, compare, judge, require_arms, summarise
from .tables import arms_csv, arms_markdown, comparisons_csv, comparisons_markdown
from .types import Answer, Arm, ArmSummary, Comparison, Item, ItemResult, Outcome, Tokens
from .verdict import RecipeVerdict, read_verdicts, recipe_verdict, write_verdicts

__all__ = [
    "Above",
    "Answer",
    "Arm",
    "ArmSummary",
    "Ask",
    "Below",
    "Checked",
    "ClauseResult",
    "Comparison",
    "Criterion",
    "Discordant",
    "EvaluationError",
    "Interval",
    "Item",
    "ItemLog",
    "ItemResult",
    "Judgement",
    "Outcome",
    "RecipeVerdict",
    "Tokens",
    "TooManyFailures",
    "Within",
    "arms_csv",
    "arms_markdown",
    "by_arm",
    "check",
    "clustered_mean",
    "clustered_p_value",
    "compare",
    "comparisons_csv",
    "comparisons_markdown",
    "diff",
    "discordant",
    "evaluate",
    "judge",
    "mcnemar_exact",
    "mean",
    "measured",
    "paired_difference",
    "read_verdicts",
    "recipe_verdict",
    "require_arms",
    "skill_of",
    "summarise",
    "two_stage_mean",
    "write_verdicts",
]
