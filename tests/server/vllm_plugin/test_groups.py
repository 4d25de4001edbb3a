"""How rows lie by slot: worked by hand."""

import torch
from skillweave.server.vllm_plugin.groups import LONG_RUN, Batch, Stretch, lay_out, whole


def laid(slots: list[int]) -> tuple[list[tuple[int, int, int, int]], list[int] | None]:
    batch = lay_out(torch.tensor(slots, dtype=torch.long))
    stretches = [(s.slot, s.num_slots, s.start, s.rows) for s in batch.stretches]
    return stretches, None if batch.order is None else batch.order.tolist()


def test_a_batch_without_adapters_is_nothing_to_do() -> None:
    assert laid([]) == ([], None)
    assert laid([-1, -1]) == ([], None)
    assert laid([-1] * 500) == ([], None)


def test_one_slot_on_all_rows_is_one_stretch_in_place() -> None:
    assert laid([3, 3]) == ([(3, 1, 0, 2)], None)
    assert laid([3] * 512) == ([(3, 1, 0, 512)], None)


def test_ascending_neighbours_with_equal_rows_are_one_stretch_in_place() -> None:
    assert laid([0, 1, 2, 3]) == ([(0, 4, 0, 1)], None)
    assert laid([2, 2, 3, 3]) == ([(2, 2, 0, 2)], None)


def test_a_gap_in_slots_or_rows_and_another_count_part_stretches() -> None:
    assert laid([0, 2, 3]) == ([(0, 1, 0, 1), (2, 2, 1, 1)], None)
    assert laid([0, -1, 1]) == ([(0, 1, 0, 1), (1, 1, 2, 1)], None)
    assert laid([0, 1, 1]) == ([(0, 1, 0, 1), (1, 1, 1, 2)], None)


def test_rows_out_of_order_are_sorted_once_and_bare_rows_left_out() -> None:
    assert laid([2, -1, 0, 1]) == ([(0, 3, 0, 1)], [2, 3, 0])
    assert laid([1, 0, -1, 1, 0]) == ([(0, 2, 0, 2)], [1, 4, 0, 3])


def test_long_runs_stay_where_they_are() -> None:
    long = 2 * LONG_RUN
    assert laid([1] * long + [0] * long + [1] * long) == (
        [(1, 1, 0, long), (0, 1, long, long), (1, 1, 2 * long, long)],
        None,
    )


def test_many_rows_on_a_slot_are_its_own_stretch() -> None:
    assert laid([0] * 9 + [1] * 9) == ([(0, 1, 0, 9), (1, 1, 9, 9)], None)


def test_other_rows_of_a_batch_are_told_only_where_one_slot_holds_all() -> None:
    alone, mixed = lay_out(torch.tensor([1, 1])), lay_out(torch.tensor([-1, 1]))
    assert whole(alone, 2, 7) == Batch((Stretch(1, 1, 0, 7),))
    assert whole(mixed, 2, 7) == Batch()
    assert whole(lay_out(torch.tensor([0, 1])), 2, 7) == Batch()
    assert whole(Batch(), 0, 7) == Batch()
