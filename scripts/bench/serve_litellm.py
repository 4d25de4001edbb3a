"""The same way through another Python gateway: the proxy of `litellm`, before the same fake engine.

A part of the bench `serve`. One worker on each side, no key, no database, no log of requests. Owns
how the proxy is started and the two ratios. A missing proxy is an error that says how to get it.
"""

import contextlib
import json
import os
import statistics
from collections.abc import Iterator
from pathlib import Path

from ...server.supervision.listen import free_port
from .rows import Row
from .serve_elsewhere import python_with, version_in
from .serve_latency import CHAT, WARMUP, chat, quantile
from .serve_sides import Side, process
from .serve_wire import Heard, Line, saturate

BAR_LATENCY, BAR_RATE = 5.0, 3.0
LINES, ROUNDS = 16, 5
_OURS, _THEIRS = 1000, 200
"""Requests of a round: as many on each side as take about as long."""
_WORDS = 16
_CONFIG = """
model_list:
  - model_name: base
    litellm_params: {{model: "openai/{model}", api_base: "{url}/v1", api_key: none}}
litellm_settings: {{telemetry: false}}
"""


_SETTINGS = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOG": "ERROR",
    "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
}
"""No prices are fetched, little is logged; without the last one it does not start without a key,
and a check of keys on its side alone would be unfair. It listens on loopback, before a fake engine.
"""


@contextlib.contextmanager
def litellm_before(engine: Side, scratch: Path) -> Iterator[tuple[Side, dict[str, str]]]:
    """The proxy with one worker, and its version.

    Raises:
        UsageError: it is not there and cannot be had.
        EngineError: it does not answer.
    """
    python = python_with("litellm")
    scratch.mkdir(parents=True, exist_ok=True)
    config, port = scratch / "litellm.yaml", free_port()
    config.write_text(_CONFIG.format(model=engine.model, url=engine.url))
    words = ["--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    command = [str(python.with_name("litellm")), *words, "--num_workers", "1"]
    env = {**os.environ, **_SETTINGS}
    for name in ("PYTHONPATH", "PYTHONHOME"):
        env.pop(name, None)
    url = f"http://127.0.0.1:{port}"
    log = scratch / "litellm.log"
    with process(command, url=f"{url}/health/liveliness", env=env, log=log) as pid:
        yield Side(url, "base", pids=(pid,)), {"litellm": version_in(python, "litellm")}


def litellm_rows(engine: Side, ours: Side, scratch: Path, *, asked: int = 300) -> list[Row]:
    """Both ratios, in turn."""
    with litellm_before(engine, scratch) as (theirs, versions):
        return [
            _latency(engine, ours, theirs, versions, asked=asked),
            _rate(ours, theirs, versions),
        ]


def _latency(
    engine: Side, ours: Side, theirs: Side, versions: dict[str, str], *, asked: int
) -> Row:
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(Line(side.url)) for side in (engine, ours, theirs)]
        bodies = [
            line.request(CHAT, {**chat(_WORDS), "model": side.model})
            for line, side in zip(lines, (engine, ours, theirs), strict=True)
        ]
        heard = [
            [line.ask(body) for line, body in zip(lines, bodies, strict=True)]
            for _ in range(WARMUP + asked)
        ][WARMUP:]
    direct, near, far = (
        quantile([told[place].total_s for told in heard], 0.5) for place in range(3)
    )
    equal = all(len({answer_of(one) for one in told}) == 1 for told in heard)
    return Row(
        "added p50 by litellm's proxy / by ours, fake upstream, one client",
        (far - direct) / (near - direct),
        asked,
        op=">=",
        bar=BAR_LATENCY,
        equal=equal,
        ours={"added_p50_s": near - direct, "direct_p50_s": direct},
        theirs={"added_p50_s": far - direct},
        versions=versions,
    )


def _rate(ours: Side, theirs: Side, versions: dict[str, str]) -> Row:
    pairs = [(_per_s(ours, _OURS), _per_s(theirs, _THEIRS)) for _ in range(1 + ROUNDS)][1:]
    ratios = [mine / other for (mine, _), (other, _) in pairs]
    return Row(
        f"requests/s through ours / through litellm's proxy, {LINES} clients, fake upstream",
        statistics.median(ratios),
        ROUNDS,
        op=">=",
        bar=BAR_RATE,
        equal=not any(wrong for pair in pairs for _, wrong in pair),
        ours={"per_s": statistics.median(a for (a, _), _ in pairs), "low": min(ratios)},
        theirs={"per_s": statistics.median(b for _, (b, _) in pairs), "high": max(ratios)},
        versions=versions,
    )


def _per_s(side: Side, requests: int) -> tuple[float, int]:
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(Line(side.url)) for _ in range(LINES)]
        body = lines[0].request(CHAT, {**chat(_WORDS), "model": side.model})
        wanted = " ".join(["word"] * _WORDS)
        seconds, wrong = saturate(lines, [body] * requests, lambda h: answer_of(h) == wanted)
    return requests / seconds, wrong


def answer_of(heard: Heard) -> str:
    """The words of a chat answer; the status where it is none."""
    if heard.status != 200:
        return f"status {heard.status}"
    return str(json.loads(heard.body)["choices"][0]["message"]["content"])
