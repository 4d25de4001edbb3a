"""The grouped products against dense arithmetic, on every way that rows can lie."""

import pytest
import torch
from skillweave.server.vllm_plugin.factors import Module, add_updates, true_rank
from skillweave.server.vllm_plugin.groups import Stretch, lay_out
from torch import Tensor

SLOTS, CAP, INTO = 4, 6, 10
WIDTHS = (5, 3, 3)
RANKS = ((2, 2, 2), (6, 6, 6), (0, 4, 1), (0, 0, 0))
"""Per slot: q, k and v. The third leaves q alone, the last changes nothing."""


def make_module(seed: int = 0, *, dtype: torch.dtype = torch.float32) -> Module:
    """Stacks as vLLM keeps them, zero-padded to `CAP`."""
    rng = torch.Generator().manual_seed(seed)
    downs = tuple(torch.zeros(SLOTS, 1, CAP, INTO) for _ in WIDTHS)
    ups = tuple(torch.zeros(SLOTS, 1, width, CAP) for width in WIDTHS)
    for slot, ranks in enumerate(RANKS):
        for down, up, rank in zip(downs, ups, ranks, strict=True):
            down[slot, 0, :rank] = torch.randn(rank, INTO, generator=rng)
            up[slot, 0, :, :rank] = torch.randn(up.shape[2], rank, generator=rng)
    cast = [tuple(t.to(dtype) for t in side) for side in (downs, ups)]
    return Module(cast[0], cast[1], WIDTHS)


def dense(module: Module, x: Tensor, y: Tensor, slots: list[int], scale: float) -> Tensor:
    """Row by row, in float64."""
    out = y.double().clone()
    for row, slot in enumerate(slots):
        start = 0
        for down, up, width in zip(module.downs, module.ups, WIDTHS, strict=True):
            if slot >= 0:
                update = up[slot, 0].double() @ (down[slot, 0].double() @ x[row].double())
                out[row, start : start + width] += scale * update
            start += width
    return out


CASES = [
    [0],
    [2],
    [3],
    [0, 1],
    [1, 0],
    [-1, 1, -1],
    [0, 1, 2, 3],
    [3, 1, 0, 2],
    [2, -1, 0, 2, 1, -1, 0],
    [0, 0, 1, 1, 2, 2],
    [1, 1, 1, 1, 1],
    [-1, -1],
    [1] * 70,
    [1] * 64 + [-1] * 64 + [0] * 64 + [1] * 64,
]


@pytest.mark.parametrize("slots", CASES, ids=lambda slots: "".join(map(str, slots))[:20])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_every_row_gets_its_own_adapter_and_base_rows_none(slots: list[int], scale: float) -> None:
    module = make_module()
    rng = torch.Generator().manual_seed(1)
    x, y = (torch.randn(len(slots), n, generator=rng) for n in (INTO, sum(WIDTHS)))
    expected = dense(module, x, y, slots, scale)
    bare = [row for row, slot in enumerate(slots) if slot < 0]
    before = y[bare].clone()
    add_updates(y, x, module, lay_out(torch.tensor(slots)), scale=scale)
    torch.testing.assert_close(y.double(), expected, atol=1e-5, rtol=1e-5)
    assert torch.equal(y[bare], before)


@pytest.mark.parametrize("slots", [[1], [0, 1], [1, 0, -1, 1]])
def test_bfloat16_stays_within_its_precision(slots: list[int]) -> None:
    module = make_module(dtype=torch.bfloat16)
    rng = torch.Generator().manual_seed(1)
    x, y = (torch.randn(len(slots), n, generator=rng).bfloat16() for n in (INTO, sum(WIDTHS)))
    expected = dense(module, x, y, slots, 1.0)
    add_updates(y, x, module, lay_out(torch.tensor(slots)), scale=1.0)
    torch.testing.assert_close(y.double(), expected, atol=0.15, rtol=0.02)


@pytest.mark.parametrize("slots", [[1], [0, 1]])
def test_activations_of_another_type_than_the_weights(slots: list[int]) -> None:
    module = make_module()
    rng = torch.Generator().manual_seed(1)
    x, y = (torch.randn(len(slots), n, generator=rng).bfloat16() for n in (INTO, sum(WIDTHS)))
    expected = dense(module, x, y, slots, 1.0)
    add_updates(y, x, module, lay_out(torch.tensor(slots)), scale=1.0)
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.double(), expected, atol=0.15, rtol=0.02)


def test_wider_outputs_than_parts_keep_their_rest() -> None:
    module = make_module()
    x, y = torch.ones(2, INTO), torch.zeros(2, sum(WIDTHS) + 2)
    add_updates(y, x, module, lay_out(torch.tensor([0, 1])), scale=1.0)
    assert y[:, : sum(WIDTHS)].abs().min() > 0
    assert torch.equal(y[:, sum(WIDTHS) :], torch.zeros(2, 2))


def test_a_slot_that_changed_is_read_anew_and_its_neighbours_kept() -> None:
    module, batch = make_module(), lay_out(torch.tensor([0, 1, 2]))
    x = torch.randn(3, INTO, generator=torch.Generator().manual_seed(2))
    add_updates(torch.zeros(3, sum(WIDTHS)), x, module, batch, scale=1.0)
    module.ups[0][1].zero_()
    module.downs[1][0, 0] = torch.randn(CAP, INTO, generator=torch.Generator().manual_seed(3))
    module.ups[1][0] = 1.0
    module.forget(0)
    module.forget(1)
    y = torch.zeros(3, sum(WIDTHS))
    add_updates(y, x, module, batch, scale=1.0)
    expected = dense(module, x, torch.zeros_like(y), [0, 1, 2], 1.0)
    torch.testing.assert_close(y.double(), expected, atol=1e-5, rtol=1e-5)


def test_the_true_rank_is_where_both_factors_still_act() -> None:
    down, up = torch.zeros(4, 3), torch.zeros(5, 4)
    assert true_rank(down, up) == 0
    down[:3] = 1.0
    up[:, 1] = 1.0
    assert true_rank(down, up) == 2
    up[4, 3] = 1.0
    assert true_rank(down, up) == 2


def test_an_adapter_that_changes_nothing_here_has_no_factors() -> None:
    module = make_module()
    assert module.factors(Stretch(3, 1, 0, 1)) is None
    assert module.factors(Stretch(0, 1, 0, 1)) is not None
