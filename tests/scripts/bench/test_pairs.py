"""Two sides in turn: the same number of runs on both, warmed alike."""

import pytest
import torch
from skillweave.adapters.delta import Delta
from skillweave.scripts.bench.pairs import in_turn
from skillweave.scripts.bench.peft_side import Merged


@pytest.mark.parametrize(("warm", "runs"), [(True, "otototot"), (False, "ototot")])
def test_both_sides_run_equally_often(warm: bool, runs: str) -> None:
    seen: list[str] = []
    delta = {"m": Delta(torch.ones(1, 1), torch.ones(1, 1), 1.0)}

    def ours() -> int:
        seen.append("o")
        return len(seen)

    def theirs() -> Merged:
        seen.append("t")
        return Merged(delta, float(len(seen)))

    ratio, mine, other = in_turn(ours, theirs, pairs=3, warm=warm)
    assert "".join(seen) == runs
    assert mine == len(runs) - 1
    assert ratio.theirs.seconds == tuple(len(runs) - i for i in (4, 2, 0))
    assert other.seconds == len(runs)
    assert len(ratio.pairs) == 3
