"""The CPU LoRA kernel against dense arithmetic, and what the stock kernel does to base rows."""

import pytest
import torch

pytestmark = pytest.mark.vllm

NUM_SLOTS, RANK, INTO, OUT = 3, 2, 5, 4


def weights(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    down = torch.randn(NUM_SLOTS, 1, RANK, INTO, generator=rng)
    up = torch.randn(NUM_SLOTS, 1, OUT, RANK, generator=rng)
    return down, up


@pytest.mark.parametrize(
    "indices", [[0, 1, 2, 0], [-1, 2, -1, 0], [-1, -1, -1, -1], [2, 2, 2, 2], [-1, 2, 2, -1]]
)
def test_every_row_gets_its_own_adapter_and_base_rows_none(indices: list[int]) -> None:
    from skillweave.server.vllm_plugin.cpu_lora import expand, group_rows, shrink

    down, up = weights(0)
    x = torch.randn(4, INTO, generator=torch.Generator().manual_seed(1))
    before = torch.randn(4, OUT, generator=torch.Generator().manual_seed(2))
    groups = group_rows(torch.tensor(indices))
    buffer, y = torch.zeros(4, RANK), before.clone()
    shrink(buffer, x, down, 0.5, groups)
    expand(y, buffer, up, groups, start=0, add=True)
    for row, slot in enumerate(indices):
        update = torch.zeros(OUT) if slot < 0 else 0.5 * up[slot, 0] @ down[slot, 0] @ x[row]
        torch.testing.assert_close(y[row], before[row] + update)


def test_the_stock_kernel_gives_base_rows_the_last_slot() -> None:
    """Why the kernel is replaced; when this fails, vLLM has mended it."""
    from vllm.lora.ops.torch_ops import bgmv_shrink

    down, _ = weights(0)
    x = torch.randn(2, INTO, generator=torch.Generator().manual_seed(1))
    buffer = torch.zeros(2, RANK)
    bgmv_shrink(x, down, buffer, torch.tensor([-1, 0]), 1.0)
    torch.testing.assert_close(buffer[0], down[-1, 0] @ x[0])


def test_the_platform_names_our_wrapper_once_it_is_installed() -> None:
    from skillweave.server.vllm_plugin.cpu_lora import NAME, install
    from vllm.platforms import current_platform
    from vllm.utils.import_utils import resolve_obj_by_qualname

    install()
    assert current_platform.get_punica_wrapper() == NAME
    assert resolve_obj_by_qualname(NAME).__name__ == "GroupedPunicaWrapper"
