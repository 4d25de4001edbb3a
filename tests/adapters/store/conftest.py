"""What the tests of the store's parts stand on, made once for each file."""

from pathlib import Path

import pytest
from skillweave.adapters.store.store import Store
from skillweave.scripts.exams.store_jobs import Material


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return Material(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def sound(made: Material) -> bytes:
    """Two versions, a skill, evidence, an alias and training rows."""
    return made.bundle.read_bytes()


@pytest.fixture
def target(tmp_path: Path) -> Store:
    return Store(tmp_path / "target")
