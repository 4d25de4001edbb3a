"""Singular values read off, by hand."""

import pytest
import torch
from skillweave.adapters.analysis.spectrum import Spectrum, spectrum
from skillweave.adapters.delta import Delta


def test_errors_are_what_a_rank_drops() -> None:
    found = Spectrum({"x": (3.0,), "y": (12.0, 4.0)})
    assert found.norm == 13.0
    assert found.whole == (12.0, 4.0, 3.0)
    assert found.error_curve() == pytest.approx((1.0, 4 / 13, 0.0))
    assert (found.rank_for(0.90), found.rank_for(0.91), found.rank_for(1.0)) == (1, 2, 2)


def test_an_update_that_is_zero_costs_nothing() -> None:
    found = Spectrum({"x": (0.0,)})
    assert found.error_curve() == (0.0, 0.0)
    assert found.rank_for(0.99) == 0


def test_values_are_those_of_the_dense_update() -> None:
    generator = torch.Generator().manual_seed(0)
    module = Delta(
        torch.randn(3, 7, generator=generator), torch.randn(9, 3, generator=generator), -0.5
    )
    found = spectrum({"x": module})
    assert found.modules["x"] == pytest.approx(
        torch.linalg.svdvals(module.dense_OI())[:3].tolist(), rel=1e-5
    )
