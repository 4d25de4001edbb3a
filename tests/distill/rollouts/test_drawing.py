"""Draws by hand: greedy, tempered, cut to the likeliest."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skillweave.distill.rollouts.drawing import draw_next, kept
from skillweave.distill.rollouts.sampling import Sampling

PROBS = torch.tensor([0.1, 0.4, 0.2, 0.3], dtype=torch.float64)


@pytest.mark.parametrize(
    ("top_k", "top_p", "left"),
    [
        (0, 1.0, [0.1, 0.4, 0.2, 0.3]),
        (2, 1.0, [0.0, 0.4, 0.0, 0.3]),
        (0, 0.5, [0.0, 0.4, 0.0, 0.3]),  # 0.4 alone is short of a half
        (0, 0.4, [0.0, 0.4, 0.0, 0.0]),
        (0, 0.01, [0.0, 0.4, 0.0, 0.0]),
        (2, 0.6, [0.0, 0.4, 0.0, 0.3]),  # 0.4 of 0.7 is short of 0.6
        (9, 0.95, [0.1, 0.4, 0.2, 0.3]),
    ],
)
def test_what_is_kept_by_hand(top_k: int, top_p: float, left: list[float]) -> None:
    assert kept(PROBS, top_k=top_k, top_p=top_p).tolist() == pytest.approx(left)


def draw(how: Sampling, probs: torch.Tensor, seed: int) -> int:
    generator = torch.Generator().manual_seed(seed)
    return int(draw_next(probs.log().float()[None], [how], [generator])[0])


def test_a_draw_is_the_place_where_the_cumulated_share_passes_a_uniform_number() -> None:
    """Shares of 0.1, 0.5, 0.7, 1 bound the four tokens."""
    for seed in range(50):
        uniform = float(torch.rand(1, generator=torch.Generator().manual_seed(seed)))
        expected = sum(uniform >= bound for bound in (0.1, 0.5, 0.7))
        assert draw(Sampling(1.0), PROBS, seed) == expected


def test_frequencies_follow_temperature() -> None:
    """At temperature 2, probabilities go as their square roots."""
    num = 4000
    generator = torch.Generator().manual_seed(0)
    drawn = draw_next(PROBS.log().float().expand(num, 4), [Sampling(2.0)] * num, [generator] * num)
    share = PROBS.sqrt() / PROBS.sqrt().sum()
    assert drawn.bincount() / num == pytest.approx(share, abs=0.03)


def test_greedy_rows_draw_no_number_and_mix_with_others() -> None:
    logits = PROBS.log().float().expand(3, 4)
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2, 3)]
    before = generators[0].get_state()
    drawn = draw_next(logits, [Sampling(), Sampling(1.0), Sampling()], generators)
    assert int(drawn[0]) == int(drawn[2]) == 1
    assert int(drawn[1]) == draw(Sampling(1.0), PROBS, 2)
    assert torch.equal(generators[0].get_state(), before)


@given(
    st.lists(st.floats(-30, 30), min_size=2, max_size=6),
    st.integers(0, 3),
    st.floats(0.05, 1.0),
    st.integers(0, 1000),
)
def test_only_what_is_kept_is_drawn(
    logits: list[float], top_k: int, top_p: float, seed: int
) -> None:
    how = Sampling(1.0, top_k=top_k, top_p=top_p)
    told = torch.tensor([logits])
    left = kept(told[0].double().softmax(-1), top_k=top_k, top_p=top_p)
    one = draw_next(told, [how], [torch.Generator().manual_seed(seed)])
    assert float(left[int(one)]) > 0
    assert left.sum() >= top_p * (1 - 1e-6) or top_k
