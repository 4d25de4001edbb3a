"""A hub and its real client in this process, whose offline mode is lifted for loopback.

Fixtures for the hub and for what talks to it; the `conftest.py` of each folder takes them up.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

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
