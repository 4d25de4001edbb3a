"""Skills as texts under version: operations, evidence, statistics, search. See README.md."""

from .bank import SkillBank, seeded
from .fit import Candidate, Fit, fit, priced
from .folder import BankFolder, open_bank, read_bank, write_fork
from .gates import AllOf, DeltaPassRate, FrontierTopK, Gate, NoRegression, StrictImprove
from .leakage import leaked_answers
from .rules import BINDING
from .search import Hit, Mode, search
from .state import BankState, SkillStats
from .texts import parse_op, text_digest, to_skill, to_text
from .types import (
    Edit,
    Event,
    GateVerdict,
    Observation,
    OpKind,
    SkillOp,
    SkillText,
    StatsRule,
    Ungated,
)
from .utility import (
    Evaluate,
    Pair,
    PairedResults,
    Scored,
    Utility,
    marginal_utility,
    paired,
    utility_of,
)

__all__ = [
    "BINDING",
    "AllOf",
    "BankFolder",
    "BankState",
    "Candidate",
    "DeltaPassRate",
    "Edit",
    "Evaluate",
    "Event",
    "Fit",
    "FrontierTopK",
    "Gate",
    "GateVerdict",
    "Hit",
    "Mode",
    "NoRegression",
    "Observation",
    "OpKind",
    "Pair",
    "PairedResults",
    "Scored",
    "SkillBank",
    "SkillOp",
    "SkillStats",
    "SkillText",
    "StatsRule",
    "StrictImprove",
    "Ungated",
    "Utility",
    "fit",
    "leaked_answers",
    "marginal_utility",
    "open_bank",
    "paired",
    "parse_op",
    "priced",
    "read_bank",
    "search",
    "seeded",
    "text_digest",
    "to_skill",
    "to_text",
    "utility_of",
    "write_fork",
]
