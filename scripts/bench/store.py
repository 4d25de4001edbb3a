"""`skillweave bench store`: a store of 10 000 adapters, beside a directory scan and a hub cache.

Owns the figures: resolve a name, list a page, open, each with the answer checked against a plain
walk over the same files that shares no code with the store. The store is filled through `put`, with
operations that leave out fsync; reading does not notice, writing is measured apart and in full.
Criterion (before the first run): resolve hot <= 50 us, page of 100 <= 2 ms, open <= 50 ms, each as
the median; at least 100 times faster than both scans.
"""

import hashlib
import itertools
import json
import os
import platform
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path

import torch
from huggingface_hub import scan_cache_dir

from ...adapters import Card, CardBase, Delta, Store, Version, write_peft
from ...adapters.file_ops import DiskOps
from .rows import Row
from .timing import Timing, interleaved, per_call, timed

NUM_ADAPTERS = 10_000
PAGE = 100
RESOLVE_S, PAGE_S, OPEN_S, SCANS = 50e-6, 2e-3, 50e-3, 100.0
_NAMESPACES = 20
_BASE = CardBase(
    family_digest="b" * 64, precision="fp32", tokenizer_digest="c" * 64, template_digest="d" * 64
)


PUTS = {"1 MB": (4, 32), "34 MB": (32, 128)}
"""What is put, by size: rank and number of modules, of 1024 by 1024 each."""


def run(num: int = NUM_ADAPTERS, puts: Mapping[str, tuple[int, int]] = PUTS) -> list[Row]:
    """All rows; `num` adapters."""
    with tempfile.TemporaryDirectory(prefix="skillweave-bench-") as folder:
        work = Path(folder)
        filled = fill(work / "store", num, work)
        cache = hub_cache(work / "hub", num)
        return [*_reading(filled, work, cache), *_writing(work, puts)]


@dataclass(frozen=True)
class Filled:
    """A store, and what a walk over its files says is in it."""

    root: Path
    names: tuple[str, ...]


def fill(root: Path, num: int, work: Path) -> Filled:
    """Put `num` small adapters under names of twenty namespaces, each with an alias `prod`."""
    source = small_adapter(work / "source", width=8, rank=1)
    store = Store(root, ops=DiskOps(durable=False))
    names = []
    for n in range(num):
        name = f"team-{n % _NAMESPACES}/skill-{n:05d}"
        words = f"Skill {n} for {('reports', 'tables', 'mails', 'maps')[n % 4]}"
        card = Card(kind="skill", base=_BASE, skill_name=f"Skill {n}", description=words, seed=n)
        store.put(source, card=card, name=name, aliases=("prod",))
        names.append(name)
    return Filled(root, tuple(sorted(names)))


def small_adapter(folder: Path, *, width: int, rank: int, modules: int = 1, seed: int = 0) -> Path:
    """A PEFT folder with random weights."""
    made = torch.Generator().manual_seed(seed)
    delta = {
        f"model.layers.{n}.self_attn.q_proj": Delta(
            torch.randn(rank, width, generator=made), torch.randn(width, rank, generator=made), 1.0
        )
        for n in range(modules)
    }
    write_peft(delta, folder)
    return folder


def hub_cache(folder: Path, num: int) -> Path:
    """A cache of `num` repositories as the hub's client lays it out, one revision each."""
    commit = "a" * 40
    for n in range(num):
        repository = folder / f"models--team--skill-{n:05d}"
        snapshot = repository / "snapshots" / commit
        snapshot.mkdir(parents=True)
        (repository / "refs").mkdir()
        (repository / "blobs").mkdir()
        (repository / "refs" / "main").write_text(commit)
        for name in ("adapter_config.json", "adapter_model.safetensors", "README.md"):
            blob = repository / "blobs" / hashlib.sha1(name.encode()).hexdigest()
            blob.write_text(name)
            (snapshot / name).symlink_to(blob)
    return folder


Seen = dict[tuple[str, str, int], str]
"""(id, base, number) -> version digest."""


def walk(root: Path) -> Iterator[tuple[tuple[str, str, int], str, list[str]]]:
    """What a plain directory scan with json finds: key, digest, aliases; no code of the store."""
    for name in os.scandir(root / "names"):
        shown = name.name.replace(".", "/")
        for base in os.scandir(name.path):
            aliases: dict[int, list[str]] = {}
            for alias in os.scandir(root / "aliases" / name.name / base.name):
                document = json.loads(Path(alias.path).read_bytes())
                aliases.setdefault(document["version"], []).append(alias.name[:-5])
            for entry in os.scandir(base.path):
                document = json.loads(Path(entry.path).read_bytes())
                digest = document["version_digest"]
                json.loads((root / "objects" / digest / "card.json").read_bytes())
                number = int(entry.name[:-5])
                yield (shown, base.name, number), digest, sorted(aliases.get(number, []))


def _key(version: Version) -> tuple[str, str, int]:
    return str(version.id), version.base, version.number


def _reading(filled: Filled, work: Path, cache: Path) -> Iterator[Row]:
    root, names = filled.root, filled.names
    walked = {key: digest for key, digest, _ in walk(root)}
    tables = Store(root)
    every = tables.list()
    listed = {_key(v): v.version_digest for v in every}
    same = listed == walked and [_key(v) for v in every] == sorted(walked)
    versions = {
        "sqlite": sqlite3.sqlite_version,
        "huggingface_hub": metadata.version("huggingface_hub"),
    }

    refs = [f"{name}@prod" for name in names]
    hot = all(
        tables.resolve(ref).version_digest == walked[name, _BASE.family_digest, 1]
        for name, ref in zip(names, refs, strict=True)
    )
    turn = itertools.cycle(refs)
    resolving = per_call(lambda: tables.resolve(next(turn)), repeats=10, calls=len(refs))
    yield Row(
        f"resolve name@alias hot, {len(names)} adapters, s",
        resolving.median_s,
        len(refs) * 10,
        op="<=",
        bar=RESOLVE_S,
        equal=hot,
        ours=resolving.document(),
        versions=versions,
    )
    yield _direct(tables, root, refs, versions)
    yield from _pages(root, sorted(walked), versions, same=same)
    yield _opening(root, refs[0], versions)
    yield from _scans(tables, resolving, root, cache, refs, versions, same=hot)


def read_directly(root: Path, ref: str) -> tuple[str, int]:
    """What somebody who knows the layout would write: three small files, no code of the store."""
    name, alias = ref.split("@")
    below = Path(name.replace("/", "."), _BASE.family_digest)
    number = json.loads((root / "aliases" / below / f"{alias}.json").read_bytes())["version"]
    entry = json.loads((root / "names" / below / f"{number}.json").read_bytes())
    json.loads((root / "objects" / entry["version_digest"] / "card.json").read_bytes())
    return entry["version_digest"], number


def _direct(store: Store, root: Path, refs: list[str], versions: dict[str, str]) -> Row:
    """The honest second side of a reference: just the files that it hangs on. No bar."""
    some = refs[:PAGE]

    def ours() -> list[tuple[str, int]]:
        found = map(store.resolve, some)
        return [(version.version_digest, version.number) for version in found]

    def theirs() -> list[tuple[str, int]]:
        return [read_directly(root, ref) for ref in some]

    both = interleaved(ours, theirs, pairs=10)
    return Row(
        "alias, entry and card read directly / resolve hot, times",
        both.median,
        10,
        equal=ours() == theirs(),
        ours=both.ours.document(),
        theirs=both.theirs.document(),
        versions=versions,
    )


def _pages(
    root: Path, keys: list[tuple[str, str, int]], versions: dict[str, str], *, same: bool
) -> Iterator[Row]:
    """Every page of the store, one after another, in a store object that has seen none of them;
    then the same pages again."""
    store = Store(root)
    store.page(limit=1)
    for label in ("first seen", "seen before"):
        seconds: list[float] = []
        seen: list[tuple[str, str, int]] = []
        after: str | None = None
        while not seconds or after is not None:
            start = time.perf_counter()
            found = store.page(after=after, limit=PAGE)
            seconds.append(time.perf_counter() - start)
            seen += [_key(v) for v in found.versions]
            after = found.next
        pages = Timing(tuple(seconds))
        yield Row(
            f"page of {PAGE}, {label}, s",
            pages.median_s,
            len(seconds),
            op="<=",
            bar=PAGE_S,
            equal=same and seen == keys,
            ours=pages.document(),
            versions=versions,
        )
    yield _pages_with_cards(root, versions)
    words = timed(lambda: store.search("reports", limit=PAGE), repeats=20)
    hits = store.search("skill 00042")
    yield Row(
        f"search, best {PAGE} of {len(keys) // 4} hits, s",
        words.median_s,
        20,
        equal=[v.id.name for v in hits] == ["skill-00042"],
        ours=words.document(),
        versions=versions,
    )


def _pages_with_cards(root: Path, versions: dict[str, str]) -> Row:
    """The same pages in a store object that has seen none, and every card on them is read."""
    store = Store(root)
    store.page(limit=1)
    seconds, sound, after = list[float](), True, None
    while not seconds or after is not None:
        start = time.perf_counter()
        found = store.page(after=after, limit=PAGE)
        cards = [version.card for version in found.versions]
        seconds.append(time.perf_counter() - start)
        sound = sound and all(
            card.base.family_digest == v.base for card, v in zip(cards, found.versions, strict=True)
        )
        after = found.next
    pages = Timing(tuple(seconds))
    return Row(
        f"page of {PAGE}, first seen, and every card read, s",
        pages.median_s,
        len(seconds),
        equal=sound,
        ours=pages.document(),
        versions=versions,
    )


def _opening(root: Path, ref: str, versions: dict[str, str]) -> Row:
    """A new store object, its first reference and its first page."""

    def open_it() -> int:
        store = Store(root)
        store.resolve(ref)
        return len(store.page(limit=PAGE).versions)

    opening = timed(open_it, repeats=20)
    return Row(
        "open, first reference and first page, s",
        opening.median_s,
        20,
        op="<=",
        bar=OPEN_S,
        equal=open_it() == PAGE,
        ours=opening.document(),
        versions=versions,
    )


def _scans(
    store: Store,
    resolving: Timing,
    root: Path,
    cache: Path,
    refs: list[str],
    versions: dict[str, str],
    *,
    same: bool,
) -> Iterator[Row]:
    """What a name costs where there is no index: a look at everything."""
    plain = timed(lambda: dict.fromkeys(key for key, _, _ in walk(root)), repeats=3, warmup=0)
    yield Row(
        "directory scan and json / resolve hot, times",
        plain.median_s / resolving.median_s,
        3,
        op=">=",
        bar=SCANS,
        equal=same,
        ours=resolving.document(),
        theirs=plain.document(),
        versions=versions,
    )
    scanning = timed(lambda: scan_cache_dir(cache), repeats=3, warmup=0)
    found = len(scan_cache_dir(cache).repos)
    yield Row(
        "scan_cache_dir / resolve hot, times",
        scanning.median_s / resolving.median_s,
        3,
        op=">=",
        bar=SCANS,
        equal=found == len(refs),
        ours=resolving.document(),
        theirs=scanning.document(),
        versions=versions,
    )
    both = interleaved(
        lambda: store.list(), lambda: dict.fromkeys(k for k, _, _ in walk(root)), pairs=3
    )
    yield Row(
        "directory scan and json / list of everything, every file looked at, times",
        both.median,
        3,
        equal=same,
        ours=both.ours.document(),
        theirs=both.theirs.document(),
        versions=versions,
    )


def _writing(work: Path, puts: Mapping[str, tuple[int, int]]) -> Iterator[Row]:
    """Adding adapters with all fsyncs, beside cp, sha256sum and sync of the same files; each
    adapter is new, so nothing is shared.
    """
    pairs, warmup = 5, 1
    for label, (rank, modules) in puts.items():
        sources = [
            small_adapter(work / f"put-{rank}-{n}", width=1024, rank=rank, modules=modules, seed=n)
            for n in range(pairs + warmup)
        ]
        adding, copying = itertools.count(), itertools.count()
        store, copies = Store(work / f"written-{rank}"), work / f"copied-{rank}"
        copies.mkdir()

        both = interleaved(
            partial(_put, store, sources, adding),
            partial(_copy, sources, copies, copying),
            pairs=pairs,
            warmup=warmup,
        )
        kept = [(v.path / "adapter_model.safetensors").read_bytes() for v in store.list()]
        given = [(s / "adapter_model.safetensors").read_bytes() for s in sources]
        yield Row(
            f"put of {label} / cp, sha256sum and sync, times",
            1 / both.median,
            pairs,
            equal=store.fsck() == [] and kept == given,
            ours=both.ours.document(),
            theirs=both.theirs.document(),
            versions={"python": platform.python_version()},
        )


def _put(store: Store, sources: list[Path], turns: Iterator[int]) -> None:
    n = next(turns)
    card = Card(kind="skill", base=_BASE, seed=n)
    store.put(sources[n], card=card, name=f"new-{n}")


def _copy(sources: list[Path], into: Path, turns: Iterator[int]) -> None:
    source = sources[next(turns)]
    command = 'cp -r "$0" "$1" && sha256sum "$1/$2"/* >/dev/null && sync "$1/$2"/* "$1/$2" "$1"'
    subprocess.run(["sh", "-c", command, str(source), str(into), source.name], check=True)
