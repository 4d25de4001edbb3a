"""The worlds that can be drawn here; their episodes are those of the exam `worlds`."""

import pytest
from skillweave.distill.worlds.checkers import worlds
from skillweave.distill.worlds.world import World
from skillweave.scripts.exams.world_episodes import NEEDS


def need(name: str) -> World:
    """The world, or a visible skip where its extra is not installed."""
    if name in NEEDS:
        pytest.importorskip(
            NEEDS[name],
            reason=f"world {name!r} needs {NEEDS[name]}: pip install 'skillweave[envs-text]'",
        )
    return worlds()[name]
