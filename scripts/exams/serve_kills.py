"""`kill -9` of an engine, of the gateway and of the supervisor, under load.

A part of the exam `serve`. Criterion, before the run: over all kills no wrong answer, no request
without an answer for 30 s, no traceback; 5xx only as documented (502, 503, 504, in OpenAI's shape),
and connections cut only by a kill of the gateway; the server comes back every time; a gateway that
comes back loads nothing anew; nothing is left when the supervisor is gone. Recovery times are
reported.
"""

import os
import random
import signal
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from ..bench.rows import Row
from ..bench.serve_upload import must, upload_request
from ..bench.serve_wire import Line
from .serve_crowd import Crowd, Tally
from .serve_ground import Ground, Kind, left_over, serving, step_folders

KILLS, CLIENTS = 20, 4
STEADY_S = 5.5
"""An engine that lived so long is started again at once."""
GONE_S = 20.0


def rows(
    home: Path, *, kind: Kind, kills: int = KILLS, clients: int = CLIENTS, steady_s: float = 5.5
) -> list[Row]:
    """Engine and gateway in turn on one server, then the supervisor of another."""
    slow = ("--token-delay", "0.01") if kind == "fake" else ()
    with serving(home / "one", kind=kind, engine_args=slow) as ground:
        pids, run_dir, steps = ground.pids(), ground.run_dir(), step_folders()
        found = [
            *engine_rows(ground, kind, kills=kills, clients=clients, steady_s=steady_s),
            *gateway_rows(ground, kind, kills=kills, clients=clients),
        ]
        pids += ground.pids()
    left = left_over(pids, run_dir, steps, wait_s=1.0)
    ended = Row(f"left over after the end, {kind} engine", len(left), 1, op="==", bar=0)
    return [*found, ended, supervisor_row(home / "two", kind)]


def engine_rows(
    ground: Ground, kind: Kind, *, kills: int, clients: int, steady_s: float
) -> list[Row]:
    """Kill an engine, wait until it answers rightly again, let it live for a while."""
    crowd, seconds, rng = _crowd(ground), list[float](), random.Random(0)
    with crowd.asking(clients) as tally:
        for _ in range(kills):
            time.sleep(rng.uniform(0.0, 0.5))
            (engine,) = ground.engines()
            _kill(engine)
            seconds.append(crowd.until_right(rng.choice(ground.models)))
            for model in ground.models:  # every adapter is there again
                crowd.until_right(model)
            time.sleep(steady_s)
    return _judged(f"kill -9 of the engine ({kind})", tally, seconds, cut_allowed=0)


def gateway_rows(ground: Ground, kind: Kind, *, kills: int, clients: int) -> list[Row]:
    """Kill the gateway; the engine and what it holds must stay."""
    crowd, seconds, rng = _crowd(ground), list[float](), random.Random(1)
    before = _identity(ground.engines())
    loads = ground.loads() if kind == "fake" else []
    with crowd.asking(clients) as tally:
        for _ in range(kills):
            time.sleep(rng.uniform(0.0, 0.5))
            _kill(ground.gateway())
            seconds.append(crowd.until_right(rng.choice(ground.models)))
            time.sleep(rng.uniform(0.0, 1.0))
    rows = _judged(f"kill -9 of the gateway ({kind})", tally, seconds, cut_allowed=None)
    same = _identity(ground.engines()) == before
    rows.append(
        Row(f"gateway killed: the same engine all along ({kind})", float(same), kills, "==", 1.0)
    )
    if kind == "fake":
        again = len(ground.loads()) - len(loads)
        rows.append(Row("gateway killed: adapters loaded anew", again, kills, op="==", bar=0))
    return rows


def supervisor_row(home: Path, kind: Kind, *, wait_s: float = GONE_S) -> Row:
    """Kill the supervisor while a run is published; everything must go by itself."""
    before = step_folders()
    with serving(home, kind=kind, adapters=1) as ground:
        with Line(ground.running.root) as line:
            fields = {"run": "left-run", "step": 1}
            key = ground.running.admin_key
            must(line.ask(upload_request(line, ground.folders[0], fields, key=key)))
        pids, run_dir = ground.pids(), ground.run_dir()
        made = step_folders() - before
        start = time.monotonic()
        _kill(ground.supervisor)
        left = left_over(pids, run_dir, before, wait_s=wait_s)
        seconds = time.monotonic() - start
    told: dict[str, object] = {"left": left, "seconds": seconds, "step_folders": len(made)}
    return Row(
        f"kill -9 of the supervisor ({kind}): processes and folders left over",
        len(left),
        len(pids),
        op="==",
        bar=0,
        ours=told,
    )


def _crowd(ground: Ground) -> Crowd:
    crowd = Crowd(ground.running.root, ground.models)
    crowd.learn()
    return crowd


def _judged(what: str, tally: Tally, seconds: list[float], *, cut_allowed: int | None) -> list[Row]:
    told: dict[str, object] = {
        "right": tally.answered,
        "refused": dict(tally.refused),
        "cut": tally.cut,
        "faults": tally.faults[:10],
    }
    longest: dict[str, object] = {"longest_s": max(seconds), "shortest_s": min(seconds)}
    out = [
        Row(f"{what}: wrong answers", len(tally.wrong), tally.answered, "==", 0, ours=told),
        Row(f"{what}: hangs", len(tally.hangs), tally.answered, "==", 0),
        Row(f"{what}: tracebacks seen by a client", len(tally.tracebacks), tally.answered, "==", 0),
        Row(f"{what}: recovery (s)", statistics.median(seconds), len(seconds), ours=longest),
    ]
    if cut_allowed is not None:
        out.append(Row(f"{what}: connections cut", tally.cut, tally.answered, "<=", cut_allowed))
    return out


def _kill(process: psutil.Process) -> None:
    os.kill(process.pid, signal.SIGKILL)


def _identity(processes: list[psutil.Process]) -> list[tuple[int, float]]:
    return [(process.pid, process.create_time()) for process in processes]


Part = Callable[[Path], list[Row]]
