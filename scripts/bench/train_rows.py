"""What the bench `train` trains on: worked answers of held-out skills, as S2L would have them.

Owns the rows and the adapters of a run. Refuses to own both sides and the figures.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from transformers import AutoTokenizer, PreTrainedModel

from ...adapters.card import Frame
from ...distill.learning.joint import AdapterSpec
from ...distill.rendering import TokenRow, token_row
from ...distill.tiny_base import tiny_base_path
from ...distill.worlds.string_skills import draw_tasks, held_out_spec

Batches = Sequence[Sequence[Sequence[TokenRow]]]
"""By step, by adapter: its rows."""


@dataclass(frozen=True)
class Run:
    """Adapters, and for each step the rows of each."""

    specs: tuple[AdapterSpec, ...]
    batches: Batches

    @property
    def shape(self) -> dict[str, object]:
        """For a row of the bench."""
        rows = [row for step in self.batches for rows in step for row in rows]
        return {
            "adapters": len(self.specs),
            "rank": self.specs[0].rank,
            "sequences_each": len(self.batches[0][0]),
            "steps": len(self.batches),
            "tokens_a_row": sum(len(row.ids) for row in rows) / len(rows),
        }


def draw_run(*, adapters: int, rank: int, sequences: int, steps: int) -> Run:
    """A skill of two steps and a rate of its own for every adapter; rows in the order of a seed."""
    specs = tuple(
        AdapterSpec(
            name=f"skill{i:02}", rank=rank, alpha=2.0 * rank, rate=2e-3 + 1e-4 * (i % 8), seed=i
        )
        for i in range(adapters)
    )
    drawn = [_rows(seed, sequences * steps) for seed in range(adapters)]
    batches = [
        [rows[step * sequences : (step + 1) * sequences] for rows in drawn] for step in range(steps)
    ]
    return Run(specs, batches)


def _rows(seed: int, num: int) -> list[TokenRow]:
    rng = random.Random(seed)
    tokenizer = AutoTokenizer.from_pretrained(tiny_base_path())
    spec = held_out_spec(rng, 2)
    tasks = draw_tasks(spec, family=f"bench-{seed}", split="train", num_tasks=num, seed=seed)
    return [
        token_row(
            tokenizer,
            [*task.messages, {"role": "assistant", "content": task.worked}],
            Frame(),
        )
        for task in tasks
    ]


class _OwnNorm(nn.Module):
    """RMSNorm in the dtype of its input; transformers' rounds float64 to float32."""

    def __init__(self, theirs: Any) -> None:
        super().__init__()
        self.weight, self.variance_epsilon = theirs.weight, theirs.variance_epsilon

    def forward(self, x: Tensor) -> Tensor:
        square = x.square().mean(-1, keepdim=True)
        out: Tensor = x * (square + self.variance_epsilon).rsqrt() * self.weight
        return out


def in_float64(base: PreTrainedModel) -> None:
    """Let the base's norms work in its own dtype, so that sides can be compared beyond float32."""
    for parent in list(base.modules()):
        for name, module in list(parent.named_children()):
            if type(module).__name__.endswith("RMSNorm"):
                setattr(parent, name, _OwnNorm(module))
