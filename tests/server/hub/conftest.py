"""A running hub, a client that may write to it, and something to send."""

from pathlib import Path

import pytest
import torch
from huggingface_hub import HfApi
from skillweave.adapters.delta import Delta
from skillweave.adapters.peft_folder.deltas import write_peft

from .hub_fixtures import _client, host, site
from .running_hub import RunningHub

__all__ = ["_client", "host", "make_adapter", "site"]


@pytest.fixture
def api(site: RunningHub) -> HfApi:
    """The client of `ada`, who may write to `ada` and to `team-*`."""
    return HfApi(endpoint=site.url, token=site.token("ada", namespaces="ada team-*"))


@pytest.fixture
def adapter_dir(tmp_path: Path) -> Path:
    """A sound adapter of two modules."""
    return make_adapter(tmp_path / "adapter")


def make_adapter(folder: Path, *, scale: float = 2.0) -> Path:
    """Write a PEFT folder; `scale` nan spoils it."""
    generator = torch.Generator().manual_seed(0)
    spoil = float("nan") if scale != scale else 1.0
    delta = {
        f"model.layers.{n}.self_attn.q_proj": Delta(
            torch.randn(4, 16, generator=generator) * spoil,
            torch.randn(16, 4, generator=generator),
            2.0,
        )
        for n in range(2)
    }
    write_peft(delta, folder)
    return folder
