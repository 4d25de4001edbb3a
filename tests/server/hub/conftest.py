"""A hub and its real client in this process, whose offline mode is lifted for loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from huggingface_hub import HfApi, constants
from skillweave.adapters.delta import Delta
from skillweave.adapters.peft_folder.deltas import write_peft

from .running_hub import HubHost, RunningHub, hub_host


@pytest.fixture(autouse=True)
def _client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The client may use the network, keeps nothing outside, and has no token of its own."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf-cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)


@pytest.fixture(scope="session")
def host() -> Iterator[HubHost]:
    with hub_host() as found:
        yield found


@pytest.fixture
def site(tmp_path: Path, host: HubHost) -> Iterator[RunningHub]:
    with host.serve(tmp_path / "hub") as found:
        yield found


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
