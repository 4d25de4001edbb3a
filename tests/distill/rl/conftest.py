"""A task to plan for, and a base in which rounding hides no error."""

import pytest
import torch
from skillweave.distill.worlds.string_skills.tasks import StringTask
from skillweave.distill.worlds.types import Task
from torch import Tensor, nn
from transformers import PreTrainedModel


class OwnNorm(nn.Module):
    """RMSNorm in the dtype of its input: transformers' rounds float64 to float32."""

    def __init__(self, theirs: nn.Module) -> None:
        super().__init__()
        self.weight, self.variance_epsilon = theirs.weight, theirs.variance_epsilon

    def forward(self, x: Tensor) -> Tensor:
        return x * (x.square().mean(-1, keepdim=True) + self.variance_epsilon).rsqrt() * self.weight


@pytest.fixture
def wide_base(small_base: PreTrainedModel) -> PreTrainedModel:
    """The small base in float64."""
    for parent in list(small_base.modules()):
        for name, module in list(parent.named_children()):
            if "RMSNorm" in type(module).__name__:
                setattr(parent, name, OwnNorm(module))
    return small_base.to(torch.float64)


@pytest.fixture
def task() -> Task:
    """One request of the string world."""
    return StringTask("drop-first", "train", "drop the first of a b c", "b c", "seen")
