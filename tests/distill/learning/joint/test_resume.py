"""A joint run that was stopped and taken up again is the run that never stopped."""

from pathlib import Path

import pytest
import torch
from skillweave.adapters.errors import UsageError
from skillweave.distill.learning.joint import AdapterSpec, JointLora
from skillweave.distill.rendering import TokenRow
from transformers import PreTrainedModel

SPECS = (
    AdapterSpec(name="one", rank=4, rate=3e-3, seed=1),
    AdapterSpec(name="two", rank=2, rate=1e-3, seed=2, total_steps=8, targets=("q_proj",)),
)


def batches(step: int) -> list[list[TokenRow]]:
    """Two rows for the first adapter; one for the second, and none in step 2."""
    ids = [tuple((7 * step + 3 * row + t * t) % 90 for t in range(5 + row)) for row in range(3)]
    rows = [TokenRow(row, (True,) * len(row)) for row in ids]
    return [rows[:2], [] if step == 2 else rows[2:]]


def test_a_run_taken_up_again_equals_the_unbroken_one_bit_by_bit(
    small_base: PreTrainedModel, tmp_path: Path
) -> None:
    unbroken, first, second = (JointLora(small_base, SPECS) for _ in range(3))
    expected = [unbroken.step(batches(step)) for step in range(6)]
    found = [first.step(batches(step)) for step in range(3)]
    first.save_state(tmp_path)
    assert second.load_state(tmp_path)
    found += [second.step(batches(step)) for step in range(3, 6)]
    assert found == expected
    assert second.num_steps == 6
    for spec in SPECS:
        for name, delta in unbroken.delta(spec.name).items():
            other = second.delta(spec.name)[name]
            assert torch.equal(delta.down_RI, other.down_RI)
            assert torch.equal(delta.up_OR, other.up_OR)


def test_the_state_of_another_run_is_refused(small_base: PreTrainedModel, tmp_path: Path) -> None:
    joint = JointLora(small_base, SPECS)
    assert not joint.load_state(tmp_path)
    joint.save_state(tmp_path)
    with pytest.raises(UsageError, match="another folder"):
        JointLora(small_base, SPECS[:1]).load_state(tmp_path)
    with torch.no_grad():
        small_base.lm_head.weight[0, 0] += 1
    with pytest.raises(UsageError, match="another folder"):
        joint.load_state(tmp_path)
