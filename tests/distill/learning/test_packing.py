"""Rows that share a line learn what they would learn alone."""

import random

import pytest
import torch
from skillweave.adapters.errors import UsageError
from skillweave.distill.learning.packing import pack, token_loss
from skillweave.distill.rendering import TokenRow
from transformers import PreTrainedModel


def some_rows(num: int = 7) -> list[TokenRow]:
    rng = random.Random(0)
    sizes = [rng.randrange(2, 12) for _ in range(num)]
    return [
        TokenRow(tuple(rng.randrange(3000) for _ in range(n)), tuple(i > 0 for i in range(n)))
        for n in sizes
    ]


def test_two_rows_in_a_line_by_hand() -> None:
    packed = pack(
        [TokenRow((5, 6), (True, True)), TokenRow((7, 8, 9), (False, True, True))], length=6, pad=0
    )
    assert packed.ids_BT.tolist() == [[7, 8, 9, 5, 6]]
    assert packed.positions_BT.tolist() == [[0, 1, 2, 0, 1]]
    assert packed.labels_BT.tolist() == [[-100, 8, 9, -100, 6]]
    assert packed.attention_B1TT[0, 0].int().tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [0, 0, 0, 1, 0],
        [0, 0, 0, 1, 1],
    ]


def test_a_short_line_is_filled_with_tokens_that_see_only_themselves() -> None:
    rows = [TokenRow((1, 2, 3), (False, True, True)), TokenRow((4, 5), (False, True))]
    packed = pack(rows, length=3, pad=9)
    assert packed.ids_BT.tolist() == [[1, 2, 3], [4, 5, 9]]
    assert packed.labels_BT[1].tolist() == [-100, 5, -100]
    assert packed.attention_B1TT[1, 0, 2].tolist() == [False, False, True]


@pytest.mark.parametrize("length", [12, 20, 80])
def test_the_loss_and_its_gradient_are_those_of_separate_rows(
    small_base: PreTrainedModel, length: int
) -> None:
    base = small_base.double()
    rows = some_rows()
    packed = pack(rows, length=length, pad=0)
    assert packed.ids_BT.shape[0] < len(rows)
    found = []
    for given in (rows, packed):
        base.zero_grad()
        loss, count = token_loss(base, given, pad=0)
        loss.backward()
        grads = [p.grad.clone() for p in base.parameters() if p.grad is not None]
        found.append((float(loss.detach()), count, grads))
    apart, together = found
    assert together[1] == apart[1]
    assert together[0] == pytest.approx(apart[0], abs=1e-5)
    assert together[0] / together[1] == pytest.approx(apart[0] / apart[1], abs=1e-6)
    for one, other in zip(apart[2], together[2], strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def test_a_row_that_fits_no_line_and_no_row_at_all_are_refused() -> None:
    with pytest.raises(UsageError, match="a row has 3 tokens, expected at most 2"):
        pack([TokenRow((1, 2, 3), (False, True, True))], length=2, pad=0)
    with pytest.raises(UsageError, match="0 rows to pack"):
        pack([], length=2, pad=0)
