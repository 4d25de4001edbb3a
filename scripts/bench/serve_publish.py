"""From the first byte of an upload to the last byte of the first answer by it.

A part of the bench `serve`: on the shipped base by itself, and on a base of 50M parameters in turn
with the usual way: merge the adapter into the weights, save them, and have the engine read them
again (`reload_weights` by vLLM's RPC, its prefix cache emptied). Equality: both ways the same
greedy tokens. Owns these rows and that other way.
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from ...adapters import read_peft
from .engine_process import post
from .rows import Row
from .serve_bases import Base
from .serve_latency import quantile
from .serve_sides import Side
from .serve_upload import ids_of, must, upload_request
from .serve_wire import Line
from .timing import Ratio, Timing

BAR_S, BAR_RATIO = 50e-3, 20.0
PUBLISHES, PAIRS, WARMUP = 30, 7, 3
WORDS = 4
DEV_MODE = {"VLLM_SERVER_DEV_MODE": "1"}
"""vLLM then has the routes by which weights are read again; they listen on loopback."""
_PROMPT = [7, 11, 19, 23, 42, 64, 81, 99]
_WEIGHTS = "model.safetensors"


class Steps:
    """Publishes one step after another of a run, and asks each once.

    Args:
        line: to the gateway.
    """

    def __init__(self, line: Line, run: str, *, key: str) -> None:
        self._line, self._run, self._key = line, run, key
        self._step = 0

    def publish(self, folder: Path) -> tuple[float, tuple[int, ...]]:
        """Seconds from the first byte of the upload to the last of the answer, and the answer."""
        self._step += 1
        fields = {"run": self._run, "step": self._step}
        upload = upload_request(self._line, folder, fields, key=self._key)
        asked = completion(self._line, f"{self._run}@{self._step}")
        start = time.perf_counter()
        must(self._line.ask(upload))
        heard = must(self._line.ask(asked))
        return time.perf_counter() - start, ids_of(heard)


def completion(line: Line, model: str) -> bytes:
    """A short greedy completion."""
    body: dict[str, object] = {
        "model": model,
        "prompt": _PROMPT,
        "max_tokens": WORDS,
        "temperature": 0,
        "ignore_eos": True,
        "return_token_ids": True,
    }
    return line.request("/v1/completions", body)


def publish_row(base: Base, gateway: Side, *, key: str, num: int = PUBLISHES) -> Row:
    """The shipped base: every publish a new adapter."""
    folders = [base.adapter(1000 + seed) for seed in range(WARMUP + num)]
    with Line(gateway.url) as line:
        steps = Steps(line, "bench-run", key=key)
        told = [steps.publish(folder) for folder in folders][WARMUP:]
        again = [steps.publish(folder)[1] for folder in folders[-2:]]
    seconds = [one for one, _ in told]
    differ = len({ids for _, ids in told}) > 1
    return Row(
        "publish, first byte of upload to last byte of first answer, shipped base, p50 (s)",
        quantile(seconds, 0.5),
        num,
        op="<=",
        bar=BAR_S,
        equal=differ and again == [ids for _, ids in told[-2:]],
        ours={"p99_s": quantile(seconds, 0.99), "tokens": WORDS, **_size(folders[0])},
    )


def reload_row(base: Base, engine: Side, gateway: Side, *, key: str, pairs: int = PAIRS) -> Row:
    """Both ways in turn on one engine, the same adapters."""
    folders = [base.adapter(2000 + seed) for seed in range(1 + pairs)]
    other = Reloading(base.path, base.work / "merged", engine)
    with Line(gateway.url) as near, Line(engine.url, key=engine.key) as far:
        steps = Steps(near, "reload-run", key=key)
        seen = []
        for folder in folders:
            ours = steps.publish(folder)
            theirs = other.publish(folder, lambda: ids_of(must(far.ask(completion(far, "base")))))
            other.restore()
            seen.append((ours, theirs))
    seen = seen[1:]
    ratio = Ratio(
        Timing(tuple(mine for (mine, _), _ in seen)), Timing(tuple(one for _, (one, _) in seen))
    )
    low, high = ratio.interval
    return Row(
        "publish: merge, save and reload_weights / ours, 50M parameters",
        ratio.median,
        pairs,
        op=">=",
        bar=BAR_RATIO,
        equal=all(mine == one for (_, mine), (_, one) in seen),
        ours={**ratio.ours.document(), "ratio_low": low, "ratio_high": high, **_size(folders[0])},
        theirs={**ratio.theirs.document(), "file_bytes": (base.path / _WEIGHTS).stat().st_size},
    )


class Reloading:
    """The usual way: one set of weights for the whole engine.

    Args:
        base: folder of the base, as the engine knows it.
        merged: folder for the merged weights.
    """

    def __init__(self, base: Path, merged: Path, engine: Side) -> None:
        shutil.copytree(base, merged)
        self._base, self._merged, self._engine = base, merged, engine
        self._weights = load_file(base / _WEIGHTS)

    def publish(
        self, adapter: Path, ask: Callable[[], tuple[int, ...]]
    ) -> tuple[float, tuple[int, ...]]:
        """Merge, save, reload, ask; seconds and answer. The base's weights are in memory."""
        start = time.perf_counter()
        save_file(self._merge(adapter), self._merged / _WEIGHTS, metadata={"format": "pt"})
        self._reload(self._merged)
        ids = ask()
        return time.perf_counter() - start, ids

    def restore(self) -> None:
        """The base again, so that adapters act on it."""
        self._reload(self._base)

    def _merge(self, adapter: Path) -> dict[str, torch.Tensor]:
        merged = dict(self._weights)
        for name, delta in read_peft(adapter).items():
            merged[f"{name}.weight"] = torch.addmm(
                merged[f"{name}.weight"], delta.up_OR, delta.down_RI, alpha=delta.scale
            )
        return merged

    def _reload(self, folder: Path) -> None:
        arguments = {"weights_path": str(folder)}
        self._post("/collective_rpc", {"method": "reload_weights", "kwargs": arguments})
        self._post("/reset_prefix_cache", {})

    def _post(self, path: str, body: dict[str, object]) -> None:
        post(f"{self._engine.url}{path}", body, key=self._engine.key or "", timeout_s=120)


def _size(folder: Path) -> dict[str, object]:
    return {"adapter_bytes": (folder / "adapter_model.safetensors").stat().st_size}
