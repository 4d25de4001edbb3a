"""Tokens that no row has shown are drawn apart, the others stay."""

from collections.abc import Callable

import torch
from skillweave.distill.tiny_base.embeddings import COLLAPSED, SPREAD, spread_collapsed
from skillweave.distill.tiny_base.pretrain import EMBEDDING, Pretrainer


def collapsed_rows(num: int, width: int) -> torch.Tensor:
    """Rows that lie along one direction, and two that do not."""
    rows = torch.zeros(num, width)
    rows[:, 0] = 2.0
    rows[:2, 0] = 0.0
    rows[0, 1] = rows[1, 2] = 2.0
    return rows


def test_rows_along_the_common_direction_move_and_the_others_stay() -> None:
    rows = collapsed_rows(40, 64)
    spread, changed = spread_collapsed(rows, torch.Generator().manual_seed(0))
    assert changed.tolist() == [False, False] + [True] * 38
    assert torch.equal(spread[:2], rows[:2])
    moved = spread[2:] - rows[2:]
    assert abs(float(moved.std()) - SPREAD) < 0.005
    near = torch.cdist(spread[2:], spread[2:])
    expected = (2 * 64) ** 0.5 * SPREAD
    assert abs(float(near.sum()) / (38 * 37) - expected) < 0.05
    centre = spread.mean(0, keepdim=True)
    assert float(torch.cosine_similarity(spread[2:], centre).mean()) > COLLAPSED


def test_rows_in_all_directions_stay() -> None:
    rows = torch.randn(50, 64, generator=torch.Generator().manual_seed(1))
    spread, changed = spread_collapsed(rows, torch.Generator().manual_seed(0))
    assert not changed.any()
    assert torch.equal(spread, rows)


def test_a_pretrainer_spreads_its_weights_and_says_so(
    make_trainer: Callable[..., Pretrainer],
) -> None:
    trainer = make_trainer()
    with torch.no_grad():
        trainer.masters[EMBEDDING][100:, 0] += 5.0
    num = trainer.spread_embeddings()
    assert num == trainer.masters[EMBEDDING].shape[0] - 100
    assert trainer.history[-1]["embeddings_spread"] == num
    weights = dict(trainer.model.named_parameters())[EMBEDDING]
    assert torch.equal(weights, trainer.masters[EMBEDDING].to(torch.bfloat16))
