"""What training will cost, by hand."""

from pathlib import Path

import pytest
from skillweave.adapters.base.identity import identify_base
from skillweave.distill.estimate import ROW_TOKENS, adapter_weights, estimate
from skillweave.distill.learning.sft import SftSettings
from skillweave.distill.skill_training import SkillTraining
from skillweave.distill.tiny_base import tiny_base_path


def test_an_adapters_size_by_hand(small_base_dir: Path, tmp_path: Path) -> None:
    base = identify_base(small_base_dir, cache_dir=tmp_path)
    # Hidden 32, 4 query and 2 key heads of 8, intermediate 48: q 32+32, k and v 32+16 each.
    attention = SftSettings(rank=2, targets=("q_proj", "k_proj", "v_proj"))
    assert adapter_weights(base, attention) == 2 * (64 + 48 + 48)
    # o 32+32; gate, up and down 32+48 each.
    assert adapter_weights(base, SftSettings(rank=2)) == 2 * (64 + 48 + 48 + 64 + 3 * 80)


def test_the_estimate_counts_every_request_and_grows_with_the_text(
    small_base_dir: Path, tmp_path: Path
) -> None:
    base = identify_base(small_base_dir, cache_dir=tmp_path)
    config = SkillTraining(num_requests=100, preflight_requests=10)
    short, long = (estimate(base, config, body_tokens=num) for num in (50, 150))
    assert short.requests == long.requests == 120
    assert long.teacher_tokens - short.teacher_tokens == 120 * 100
    assert short.train_s > 0
    assert short.disk_bytes == 4 * adapter_weights(base, config.sft)
    twice = estimate(base, SkillTraining(num_requests=200, preflight_requests=10), body_tokens=50)
    assert twice.train_s == 2 * short.train_s


def test_the_rate_is_that_of_the_lab_log(repository: Path, tmp_path: Path) -> None:
    """170 rows of 40 tokens, 5 epochs, 14.4 s of one core on the shipped base."""
    assert "| 5, 16, 3e-3 | 14.4 s |" in (repository / "docs" / "lablog.md").read_text()
    base = identify_base(tiny_base_path(), cache_dir=tmp_path)
    config = SkillTraining(num_requests=170, sft=SftSettings(epochs=5))
    logged = 14.4 * ROW_TOKENS / 40
    assert estimate(base, config, body_tokens=0).train_s == pytest.approx(logged, rel=0.02)
