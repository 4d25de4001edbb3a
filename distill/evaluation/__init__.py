"""Matched arms, paired intervals clustered by skill, criteria written before the run.

See README.md in this folder for the file table.
"""

from ...adapters.errors import BudgetExceeded
from .arm_cache import ArmCache, arm_fingerprint
from .budget import KINDS, Budget, Kind
from .control_arms import WithOracle, oracle_answer, oracle_arm, shuffled_arm, shuffled_text
from .controls import CONTROLS, Absent, Control, Controls, require_controls, require_declared
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
from .freeze import Freeze, NotAsFrozen, code_digest, freeze_of, require_frozen
from .item_log import ItemLog
from .judges import JudgedPair, agreement, better_judge, judged_pairs
from .lifecycle import (
    Acceptance,
    Cell,
    LifecycleMatrix,
    LifecycleRow,
    lifecycle,
    matrix_document,
    matrix_notes,
    target_of,
)
from .multiplicity import holm
from .over_seeds import SeedSummary, arms_over_seeds, comparisons_over_seeds, over_seeds
from .samples import Sampled, pass_at_k, pass_at_k_difference, pass_at_k_mean, several_samples
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
from .summary import Judgement, by_arm, compare, corrected, judge, require_arms, summarise
from .tables import (
    arms_csv,
    arms_markdown,
    arms_tex,
    comparisons_csv,
    comparisons_markdown,
    comparisons_tex,
    lifecycle_markdown,
)
from .trial import Known, Trial
from .types import Answer, Arm, ArmSummary, Comparison, Item, ItemResult, Outcome, Tokens
from .verdict import RecipeVerdict, read_verdicts, recipe_verdict, write_verdicts

__all__ = [
    "CONTROLS",
    "KINDS",
    "Above",
    "Absent",
    "Acceptance",
    "Answer",
    "Arm",
    "ArmCache",
    "ArmSummary",
    "Ask",
    "Below",
    "Budget",
    "BudgetExceeded",
    "Cell",
    "Checked",
    "ClauseResult",
    "Comparison",
    "Control",
    "Controls",
    "Criterion",
    "Discordant",
    "EvaluationError",
    "Freeze",
    "Interval",
    "Item",
    "ItemLog",
    "ItemResult",
    "JudgedPair",
    "Judgement",
    "Kind",
    "Known",
    "LifecycleMatrix",
    "LifecycleRow",
    "NotAsFrozen",
    "Outcome",
    "RecipeVerdict",
    "Sampled",
    "SeedSummary",
    "Tokens",
    "TooManyFailures",
    "Trial",
    "WithOracle",
    "Within",
    "agreement",
    "arm_fingerprint",
    "arms_csv",
    "arms_markdown",
    "arms_over_seeds",
    "arms_tex",
    "better_judge",
    "by_arm",
    "check",
    "clustered_mean",
    "clustered_p_value",
    "code_digest",
    "compare",
    "comparisons_csv",
    "comparisons_markdown",
    "comparisons_over_seeds",
    "comparisons_tex",
    "corrected",
    "diff",
    "discordant",
    "evaluate",
    "freeze_of",
    "holm",
    "judge",
    "judged_pairs",
    "lifecycle",
    "lifecycle_markdown",
    "matrix_document",
    "matrix_notes",
    "mcnemar_exact",
    "mean",
    "measured",
    "oracle_answer",
    "oracle_arm",
    "over_seeds",
    "paired_difference",
    "pass_at_k",
    "pass_at_k_difference",
    "pass_at_k_mean",
    "read_verdicts",
    "recipe_verdict",
    "require_arms",
    "require_controls",
    "require_declared",
    "require_frozen",
    "several_samples",
    "shuffled_arm",
    "shuffled_text",
    "skill_of",
    "summarise",
    "target_of",
    "two_stage_mean",
    "write_verdicts",
]
