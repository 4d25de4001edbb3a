"""Whole demos in miniature, on a random base and a fake engine, as a process to interrupt.

Reads one JSON order a line on stdin: `base`, `skills`, `out`, `log`, `mark` and `at`, the moment
at which a demo gets what a terminal sends on Ctrl-C. Every order runs in a fork, in a process group
of its own, so that torch is imported once; the reply is a line with the exit code. `mark` stands
in the environment of everything that a demo starts.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "distill"))

import torch
from following_engine import SECRET, following_engine
from skillweave.adapters.skills import discover_skills
from skillweave.distill.demo.run import run_demo
from skillweave.distill.demo.settings import DemoSettings
from skillweave.distill.demo.state import DemoRun
from skillweave.distill.learning.sft import SftSettings
from skillweave.distill.serving import Launch, Served, ServePlan
from skillweave.distill.skill_training import SkillTraining
from skillweave.distill.workbench import Report
from skillweave.scripts.cli import as_app, run
from skillweave.scripts.commands.demo import write_out
from skillweave.scripts.launching import launcher
from skillweave.scripts.progress import progress_bars
from skillweave.server.config import ServeConfig

SETTINGS = DemoSettings(
    training=SkillTraining(
        num_requests=24,
        preflight_requests=4,
        min_demonstrations=8,
        sft=SftSettings(rank=2, epochs=1, rate=0.05),
    ),
    num_items=8,
    num_dev=6,
    num_stray=8,
    harm_items=2,
    plain_items=4,
    cost_requests=4,
    numeric_rows=2,
    concurrency=8,
)
STARTING, STREAMING, ROUTING = "engine start", "cost", "router"


def interrupt() -> None:
    """What a terminal does on Ctrl-C: the whole foreground group gets it."""
    os.killpg(0, signal.SIGINT)


def interrupting(report: Report, at: str) -> Report:
    """The same reports, with an interrupt when the work called `at` is first heard of."""
    pending = [at]

    def tell(what: str, done: int, of: int) -> None:
        report(what, done, of)
        if pending and what.startswith(pending[0]):
            pending.clear()
            interrupt()

    return tell


def interrupt_after(seen: Callable[[], bool], *, delay_s: float = 0.0) -> None:
    """An interrupt soon after `seen` turns true, from a thread."""

    def watch() -> None:
        while not seen():
            time.sleep(0.001)
        time.sleep(delay_s)
        interrupt()

    threading.Thread(target=watch, daemon=True).start()


def launching(report: Report, log_dir: Path, at: str) -> Launch:
    """The launcher of the demo, with the engine that follows texts."""
    streams: list[None] = []

    def on_stream() -> None:
        streams.append(None)
        if at == STREAMING and len(streams) == 1:
            interrupt()

    @contextlib.contextmanager
    def launch(plan: ServePlan) -> Iterator[Served]:
        with following_engine(plan.base, on_stream=on_stream) as url:
            fronted = {"engine_url": url, "engine_key": SECRET}
            slow = {"engine": "fake", "engine_args": ("--start-delay", "60")}

            def adjust(config: ServeConfig) -> ServeConfig:
                update = slow if at == STARTING else fronted
                return ServeConfig.model_validate({**config.model_dump(), **update})

            said: list[str] = []
            if at == STARTING:
                interrupt_after(lambda: bool(said), delay_s=0.5)
            start = launcher(log_dir=log_dir, say=said.append, report=report, adjust=adjust)
            with start(plan) as served:
                yield served

    return launch


def tiny_demo(order: dict[str, str]) -> int:
    """What `skillweave demo` does, with other sizes and another engine."""
    skills, out, at = Path(order["skills"]), Path(order["out"]), order["at"]
    if at == ROUTING:
        proofs = out / "store" / "attestations"
        interrupt_after(lambda: len(list(proofs.glob("*/*.json"))) == 2)
    with progress_bars() as bars:
        report = interrupting(bars, at) if at else bars
        demo = DemoRun(
            base=Path(order["base"]),
            skills=[skill for skill, _ in discover_skills(skills)],
            skills_dir=skills,
            out=out,
            settings=SETTINGS,
            launch=launching(report, out / "logs", at),
            report=report,
        )
        found = run_demo(demo)
    write_out(demo, found, command="tiny demo")
    return 0


def in_fork(order: dict[str, str]) -> int:
    """The fork's side: its own group, its own output; returns the exit code."""
    os.setpgid(0, 0)
    os.environ["SKILLWEAVE_TEST_MARK"] = order["mark"]
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT)
    null = os.open(os.devnull, os.O_RDONLY)
    for fd, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(fd, target)
    torch.set_num_threads(1)
    return run(lambda: as_app(lambda: tiny_demo(order)), [], "skillweave demo")


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        if (pid := os.fork()) == 0:
            sys.exit(in_fork(order))
        _, status = os.waitpid(pid, 0)
        print(json.dumps(os.waitstatus_to_exitcode(status)), flush=True)


if __name__ == "__main__":
    main()
