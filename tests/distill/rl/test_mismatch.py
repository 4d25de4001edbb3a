"""Trainer against sampler: figures by hand, and a run that is stopped by them."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skillweave.adapters.errors import TrainingDiverged
from skillweave.distill.rl.mismatch import Mismatch, MismatchMonitor, mismatch_of

NAN, INF = math.nan, math.inf


def seen(mean_abs: float, num_tokens: int = 5) -> Mismatch:
    return Mismatch(mean_abs, mean_abs, 0.0, 0.0, 0.0, num_tokens)


def test_the_figures_by_hand() -> None:
    trainer = torch.tensor([[-1.0, -2.0, -1.0], [-3.0, 9.0, 9.0]])
    sampler = torch.tensor([[-1.5, -1.0, NAN], [-4.0, NAN, -INF]])
    mask = torch.tensor([[1.0, 1, 1], [1, 0, 0]])
    found = mismatch_of(trainer, sampler, mask, cap=2.0)  # d = 0.5, -1, (none), 1
    assert found.mean_abs == pytest.approx(2.5 / 3)
    assert found.max_abs == 1.0
    k3 = [math.exp(d) - 1 - d for d in (0.5, -1.0, 1.0)]
    assert found.k3 == pytest.approx(sum(k3) / 3)
    assert found.truncated_share == pytest.approx(1 / 3)  # exp(1) > 2, exp(0.5) < 2
    assert (found.masked_share, found.num_tokens) == (0.25, 3)


def test_nothing_drawn_says_nothing() -> None:
    logp = torch.zeros(1, 2)
    found = mismatch_of(logp, logp * NAN, torch.ones(1, 2))
    assert found == Mismatch(0.0, 0.0, 0.0, 0.0, 1.0, 0)
    assert MismatchMonitor().seen(found).first is None
    assert mismatch_of(logp, logp, torch.zeros(1, 2)).masked_share == 0


@given(st.lists(st.floats(-20, -0.01), min_size=1, max_size=6))
def test_a_sampler_that_is_the_trainer_differs_by_nothing(logps: list[float]) -> None:
    logp = torch.tensor([logps])
    found = mismatch_of(logp, logp, torch.ones_like(logp))
    assert (found.mean_abs, found.max_abs, found.k3, found.truncated_share) == (0, 0, 0, 0)


def test_the_first_value_sets_the_bound_and_stays() -> None:
    monitor = MismatchMonitor(factor=10, floor=1e-9).seen(seen(0.01)).seen(seen(0.09))
    assert monitor.first == 0.01
    with pytest.raises(TrainingDiverged, match=r"0\.2 nats a token, 0\.01 at first.* at most 0\.1"):
        monitor.seen(seen(0.2))


def test_below_the_floor_nothing_stops() -> None:
    monitor = MismatchMonitor(factor=10, floor=0.05).seen(seen(1e-6))
    assert monitor.seen(seen(0.05)).first == 1e-6
    with pytest.raises(TrainingDiverged, match=r"at most 0\.05"):
        monitor.seen(seen(0.051))


def test_a_mismatch_that_is_no_number_stops_at_once() -> None:
    with pytest.raises(TrainingDiverged, match="nan"):
        MismatchMonitor().seen(seen(NAN))
    with pytest.raises(TrainingDiverged, match="inf"):
        MismatchMonitor().seen(seen(INF))
