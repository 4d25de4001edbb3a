"""One low-rank update: the formula by hand, and what is no update."""

import pytest
import torch
from skillweave.adapters.delta import Delta


def test_the_update_is_scale_times_up_times_down() -> None:
    delta = Delta(torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[1.0], [-1.0]]), 0.5)
    assert delta.dense_OI().tolist() == [[0.5, 1.0, 1.5], [-0.5, -1.0, -1.5]]
    assert (delta.rank, delta.shape) == (1, (2, 3))


@pytest.mark.parametrize(("down", "up"), [((2, 3), (4, 3)), ((3,), (4, 3)), ((0, 3), (4, 0))])
def test_factors_must_meet_in_one_rank(down: tuple[int, ...], up: tuple[int, ...]) -> None:
    # where shapes are checked by annotation (under pytest) that refusal, a TypeError, comes first
    with pytest.raises((ValueError, TypeError)):
        Delta(torch.zeros(down), torch.zeros(up), 1.0)


@pytest.mark.parametrize("scale", [float("inf"), float("nan")])
def test_the_scale_must_be_finite(scale: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Delta(torch.zeros(1, 1), torch.zeros(1, 1), scale)
