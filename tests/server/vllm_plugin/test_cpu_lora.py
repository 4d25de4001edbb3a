"""The wrapper that vLLM calls, and what the stock kernel does to base rows."""

import logging
from types import SimpleNamespace

import pytest
import torch

pytestmark = pytest.mark.vllm

SLOTS, RANK, INTO, OUT = 3, 2, 5, 4


def weights(seed: int, *, out: int = OUT) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    down = torch.randn(SLOTS, 1, RANK, INTO, generator=rng)
    return down, torch.randn(SLOTS, 1, out, RANK, generator=rng)


def wrapper(slots: list[int], sampled: list[int] | None = None):  # type: ignore[no-untyped-def]
    """Our wrapper with the metadata of a batch; adapter ids are slots plus one, 0 is none."""
    from skillweave.server.vllm_plugin.cpu_lora import GroupedPunicaWrapper

    made = GroupedPunicaWrapper(64, 64, "cpu")
    ids, wanted = (tuple(slot + 1 for slot in each) for each in (slots, sampled or slots))
    mapping = SimpleNamespace(index_mapping=ids, prompt_mapping=wanted, is_prefill=True)
    made.update_metadata(mapping, [1, 2, 3], SLOTS + 1, 100)
    return made


def dense(down: torch.Tensor, up: torch.Tensor, x: torch.Tensor, slots: list[int]) -> torch.Tensor:
    rows = [
        torch.zeros(up.shape[2]) if slot < 0 else up[slot, 0] @ (down[slot, 0] @ row)
        for slot, row in zip(slots, x, strict=True)
    ]
    return torch.stack(rows)


@pytest.mark.parametrize("slots", [[0, 1, 2, 0], [-1, 2, -1, 0], [-1] * 4, [2] * 4, [-1, 2, 2, -1]])
def test_linear_modules_get_each_rows_adapter(slots: list[int]) -> None:
    (down, up), (other, wide) = weights(0), weights(1, out=3)
    x = torch.randn(4, INTO, generator=torch.Generator().manual_seed(1))
    y = torch.ones(4, OUT + 3)
    wrapper(slots).add_lora_linear(y, x, (down, other), (up, wide), 1.0, (OUT, 3))
    expected = torch.cat([dense(down, up, x, slots), dense(other, wide, x, slots)], 1)
    torch.testing.assert_close(y, 1.0 + expected)


@pytest.mark.parametrize("slots", [[0, 1, 0, 2], [-1, 2, 2, -1], [-1] * 4])
def test_halves_and_embedding_as_fully_sharded_layers_use_them(slots: list[int]) -> None:
    down, up = weights(0)
    x = torch.randn(4, INTO, generator=torch.Generator().manual_seed(1))
    ours, buffer, y = wrapper(slots), torch.zeros(1, 4, RANK), torch.ones(4, OUT)
    ours.add_shrink(buffer, x, (down,), 1.0)
    ours.add_expand(y, buffer, (up,), (OUT,))
    torch.testing.assert_close(y, 1.0 + dense(down, up, x, slots))
    embedded = torch.ones(4, OUT)
    ours.add_lora_embedding(embedded, buffer[0], up)
    torch.testing.assert_close(embedded, y)


def test_an_embedding_that_a_slot_gets_later_counts_once_the_slot_is_read_anew() -> None:
    _, up = weights(0)
    wanted, x, y = up[0].clone(), torch.ones(1, RANK), torch.zeros(1, OUT)
    up[0] = 0
    ours = wrapper([0])
    ours.add_lora_embedding(y, x, up)
    assert torch.equal(y, torch.zeros(1, OUT))
    up[0] = wanted
    ours.forget(0)
    ours.add_lora_embedding(y, x, up)
    torch.testing.assert_close(y[0], wanted[0].sum(1))


def test_the_head_serves_sampled_rows() -> None:
    down, up = weights(0)
    x = torch.randn(2, INTO, generator=torch.Generator().manual_seed(1))
    logits = torch.zeros(2, OUT + 1)
    wrapper([1, 1, 1, -1], [1, -1]).add_lora_logits(logits, x, down[:, 0], up[:, 0], 1.0)
    torch.testing.assert_close(logits[:, :OUT], dense(down, up, x, [1, -1]))
    assert torch.equal(logits[:, OUT], torch.zeros(2))


def test_the_head_on_a_prompts_rows(caplog: pytest.LogCaptureFixture) -> None:
    down, up = weights(0)
    x = torch.randn(3, INTO, generator=torch.Generator().manual_seed(1))
    alone, mixed = torch.zeros(3, OUT), torch.zeros(3, OUT)
    wrapper([1, 1, 1], [1]).add_lora_logits(alone, x, down, up, 1.0)
    torch.testing.assert_close(alone, dense(down, up, x, [1, 1, 1]))
    with caplog.at_level(logging.WARNING, logger="vllm.skillweave"):
        wrapper([1, 1, 2], [1, 2]).add_lora_logits(mixed, x, down, up, 1.0)
    assert torch.equal(mixed, torch.zeros(3, OUT))
    assert "leave out an adapter's part" in caplog.text


def test_a_batch_without_adapters_does_not_look_at_the_weights() -> None:
    y = torch.ones(2, OUT)
    wrapper([-1, -1]).add_lora_linear(y, y, (), (), 1.0, ())
    assert torch.equal(y, torch.ones(2, OUT))


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


@pytest.mark.filterwarnings("ignore:.torch.jit.script_method:DeprecationWarning")  # vLLM's import
def test_a_layer_is_bare_only_while_no_row_has_an_adapter() -> None:
    from skillweave.server.vllm_plugin.bare_layers import shortcut

    class Layer(torch.nn.Module):
        def __init__(self, below: torch.nn.Module, punica: object) -> None:
            super().__init__()
            self.base_layer, self.punica_wrapper = below, punica

        forward = shortcut(lambda self, x: "with lora")

    below, x = torch.nn.Identity(), torch.ones(1)
    assert Layer(below, wrapper([-1, -1]))(x) is x
    assert Layer(below, wrapper([-1, 0]))(x) == "with lora"
    assert Layer(below, object())(x) == "with lora"
