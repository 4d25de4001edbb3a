"""Each kind of spoiled adapter is refused with its code, and nothing outside its folder is read."""

from pathlib import Path

import pytest
from skillweave.adapters.gate.codes import AREA_OF
from skillweave.adapters.gate.policy import GatePolicy

from .healthy import BASE, write_healthy
from .opens import opened_by
from .spoiled import KINDS


@pytest.fixture(scope="module", autouse=True)
def warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is imported on first use is opened before anything is watched."""
    write_healthy(folder := tmp_path_factory.mktemp("warm") / "adapter")
    assert GatePolicy().check(folder, BASE) == ()


@pytest.mark.parametrize("name", KINDS)
def test_a_spoiled_adapter_is_refused_with_its_code(tmp_path: Path, name: str) -> None:
    kind = KINDS[name]
    folder = write_healthy(tmp_path / "adapter")
    kind.spoil(folder)
    problems, outside = opened_by(folder, lambda: kind.policy.check(folder, kind.base))
    assert {p.code for p in problems} == kind.codes, problems
    assert all(p.message and p.remedy for p in problems)
    assert all(p.message.isprintable() for p in problems)
    assert outside == []


def test_there_are_many_kinds_and_together_they_show_every_code() -> None:
    seen = set().union(*(kind.codes for kind in KINDS.values()))
    assert len(KINDS) >= 60
    assert set(AREA_OF) - seen == {"unreadable"}  # whoever runs the tests may read everything
    assert seen <= set(AREA_OF)
