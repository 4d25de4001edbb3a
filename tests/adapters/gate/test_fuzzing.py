"""A fixed-seed slice of the exam: whatever the gate takes, safetensors and peft read alike."""

from pathlib import Path

import pytest

from .fuzzing import judge


@pytest.mark.slow
def test_five_hundred_mutated_configs_and_headers(tmp_path: Path) -> None:
    verdicts = {seed: judge(tmp_path, seed) for seed in range(500)}
    assert {seed: v.faults for seed, v in verdicts.items() if v.faults} == {}
    assert sum(v.taken for v in verdicts.values()) > 20  # the oracle had something to judge
    assert len(set().union(*(v.codes for v in verdicts.values()))) > 12
