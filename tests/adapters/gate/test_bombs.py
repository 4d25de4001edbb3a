"""Folders made as dear as the limits allow: an answer, not a crash. What it cost: the exam."""

from pathlib import Path

import pytest

from .bombs import BOMBS, go_off


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_the_dearest_folders_get_their_codes(tmp_path: Path, name: str) -> None:
    assert set(go_off(name, tmp_path / "adapter").codes) == BOMBS[name][1]
