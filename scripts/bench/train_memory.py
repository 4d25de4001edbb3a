"""Memory of a training step, each side in a process of its own; a part of the bench `train`.

Measured is the peak resident set while steps run, reset by the kernel once the base is loaded, less
what was resident then, and less adapters and their optimiser state. Gradients, activations and all
that a side keeps besides count. `python -m skillweave.scripts.bench.train_memory ours|theirs`.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import torch

from ...distill.learning.joint import JointLora
from ...distill.learning.sft import load_base
from ...distill.tiny_base import tiny_base_path
from .pairs import versions
from .peft_train import PeftRun
from .rows import Row
from .train_rows import draw_run

STEPS = 6
BAR = 1.4
STATE = 3
"""A weight, and two moments of AdamW."""


def memory_row() -> Row:
    """Ours over one PEFT run at the joint batch size."""
    ours, theirs = _child("ours"), _child("theirs")
    return Row(
        figure="8 adapters jointly: peak memory of a step / that of one PEFT run at the joint "
        "batch size",
        value=ours / theirs,
        n=1,
        op="<=",
        bar=BAR,
        ours={"peak_mib": ours / 2**20},
        theirs={"peak_mib": theirs / 2**20},
        versions=versions(),
    )


def _child(side: str) -> int:
    command = [sys.executable, "-m", __name__, side]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(json.loads(done.stdout.splitlines()[-1]))


def measure(side: str) -> int:
    """Bytes of one side's peak, in this process."""
    torch.set_num_threads(1)
    run = draw_run(adapters=8, rank=8, sequences=4, steps=STEPS)
    base = load_base(tiny_base_path()).requires_grad_(False)
    joint = JointLora(base, run.specs[:1] if side == "theirs" else run.specs)
    if side == "ours":
        num = sum(delta.down_RI.numel() + delta.up_OR.numel()
                  for spec in run.specs for delta in joint.delta(spec.name).values())  # fmt: skip
        before = _reset_peak()
        for batch in run.batches:
            joint.step(batch)
    else:
        peft = PeftRun(run.specs[0], joint.delta(run.specs[0].name))
        num = sum(p.numel() for p in peft.params)
        before = _reset_peak()
        for batch in run.batches:
            peft.step([row for rows in batch for row in rows])
    own = (STATE - 1) * num * 4  # the weights themselves were there before
    return _resident("VmHWM") - before - own


def _reset_peak() -> int:
    Path("/proc/self/clear_refs").write_text("5")
    return _resident("VmRSS")


def _resident(key: str) -> int:
    found = re.search(rf"{key}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found.group(1)) * 1024


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
