"""A whole demo in miniature, and Ctrl-C in every phase of it."""

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from skillweave.adapters import Store
from skillweave.adapters.skills import write_skill
from skillweave.distill.report import Report
from skillweave.distill.worlds.string_skills import held_out_specs, string_skill

from ...small_base import make_small_base

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("tiny_demo.py")
TIMEOUT_S = 120
GONE_WITHIN_S = 3.0


@dataclass(frozen=True)
class Ended:
    """How a demo ended: exit code, what it said, its folder, and what is left of it."""

    code: int
    said: list[str]
    out: Path
    left: list[int]


Demo = Callable[..., Ended]


@pytest.fixture(scope="module")
def forker() -> Iterator["subprocess.Popen[str]"]:
    """The process that demos are forked from."""
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=TIMEOUT_S)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def skills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("skills")
    for number, spec in enumerate(held_out_specs(0)[:2]):
        made = string_skill(spec, seed=number)
        write_skill(made, folder / made.name)
    return folder


@pytest.fixture
def demo(forker: "subprocess.Popen[str]", base: Path, skills: Path, tmp_path: Path) -> Demo:
    def run(*, at: str = "") -> Ended:
        mark, log, out = uuid.uuid4().hex, tmp_path / "log", tmp_path / "out"
        order = {"base": base, "skills": skills, "out": out, "log": log, "mark": mark, "at": at}
        assert forker.stdin is not None
        assert forker.stdout is not None
        forker.stdin.write(json.dumps(order, default=str) + "\n")
        forker.stdin.flush()
        code = json.loads(forker.stdout.readline())
        return Ended(code, log.read_text().splitlines(), out, still_there(mark))

    return run


def still_there(mark: str) -> list[int]:
    """Processes of a demo that are there when it has been gone for a while.

    A moment is allowed: Python's own tracker of shared resources ends after its parent.
    """
    until = time.monotonic() + GONE_WITHIN_S
    while (left := marked(mark)) and time.monotonic() < until:
        time.sleep(0.05)
    return left


def marked(mark: str) -> list[int]:
    """Processes that run with the mark in their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if mark.encode() in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                continue  # it has ended, or is somebody else's
    return found


def test_a_demo_reports_every_block_and_says_what_it_does(demo: Demo) -> None:
    ended = demo()
    assert ended.code == 0, "\n".join(ended.said)
    report = Report.model_validate_json((ended.out / "report.json").read_bytes())
    arms = {arm.name: arm.mean for arm in report.arms}
    assert set(arms) == {"none", "text", "s2l", "auto", "wrong", "irrelevant", "shared"}
    assert (arms["text"], arms["s2l"], arms["none"], arms["wrong"]) == (1.0, 1.0, 0.0, 0.0)
    assert len(report.skills) == len(report.examples) == 2
    assert report.router is not None
    assert report.cost is not None
    assert {row.prefix_cache for row in report.cost.rows} == {True, False}
    assert {row.arm for row in report.cost.rows} == set(arms)
    assert len(report.harm) == 4
    assert report.numeric is not None
    assert all(row.max_abs < 1e-4 for row in report.numeric.rows)
    page = (ended.out / "report.html").read_text()
    assert all(skill.skill in page for skill in report.skills)
    assert Store(ended.out / "store").fsck() == []
    assert ended.left == []
    progress = [line for line in ended.said if line.endswith(("...", " s"))]
    assert len(progress) < 60
    for what in ("starting the engine", "demonstrations for", "training", "evaluating none"):
        assert any(line.startswith(what) for line in progress), what


@pytest.mark.parametrize(
    "phase",
    [
        "engine start",
        "demonstrations for",
        "training",
        "waiting for the shared adapter",
        "evidence on dev",
        "router",
        "evaluating none",
        "checking adapters for harm",
        "comparing vLLM with PEFT",
        "cost",
    ],
)
def test_ctrl_c_ends_a_demo_and_leaves_nothing_behind(demo: Demo, phase: str) -> None:
    ended = demo(at=phase)
    log = "\n".join(ended.said)
    assert ended.code == 130, log
    assert ended.said[-1] == "skillweave demo: interrupted"
    assert log.count("interrupted") == 1
    assert "Traceback" not in log
    assert ended.left == []
    assert Store(ended.out / "store").fsck() == []
    assert not (ended.out / "report.json").exists()
