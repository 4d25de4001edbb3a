"""What the demo does and how much of it; the criterion, written before any run."""

from pydantic import BaseModel, ConfigDict, Field

from ..evaluation import Above, Below, Criterion, Within, diff, measured
from ..skill_training import SkillTraining

CRITERION = Criterion(
    statement=(
        "Adapters replace the texts of their skills, each the one of its own skill, the router "
        "finds them, and the engine computes what was trained."
    ),
    clauses=(
        Above(what=diff("s2l", "text"), bar=-0.03, on="lower"),
        Above(what=diff("s2l", "none"), bar=0.30),
        Above(what=diff("s2l", "wrong"), bar=0.30),
        Within(what=diff("auto", "s2l"), bar=0.05),
        Below(what=measured("max_abs_dlogp"), bar=1e-4),
        Above(what=measured("min_wrong_mean_abs_dlogp"), bar=0.1),
    ),
)


class DemoSettings(BaseModel):
    """Sizes of the demo; counts are requests."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    seed: int = 0
    """Seed of requests, training and bootstrap."""
    training: SkillTraining = SkillTraining()
    """How every skill is taught and learned."""
    num_items: int = Field(default=200, ge=8)
    """Held-out requests of every skill, asked in every arm."""
    num_dev: int = Field(default=40, ge=4)
    """Requests of every skill on which the router is fitted to abstain."""
    num_stray: int = Field(default=120, ge=4)
    """Requests about no skill at all, on dev and again on test."""
    harm_items: int = Field(default=10, ge=1)
    """Items of every other skill on which an adapter is checked for harm."""
    plain_items: int = Field(default=50, ge=1)
    """Tasks that need no skill, for the same check."""
    cost_requests: int = Field(default=24, ge=4)
    """Requests of every arm in one round while time is measured."""
    cost_rounds: int = Field(default=3, ge=1)
    """Rounds over all arms; the median round counts."""
    numeric_rows: int = Field(default=8, ge=1)
    """Answers of every adapter whose log-probabilities are compared."""
    concurrency: int = Field(default=64, ge=1)
    """Requests in flight at once."""
