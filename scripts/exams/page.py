"""`make exam NAME=page`: the page at /ui in a real browser, on the shipped base in real vLLM.

The criterion, written before the run: every check of `page_views.py`, `page_access.py` and
`page_engine.py` holds, without an error on the console, a request that leaves the server or a
breach of the content security policy; ten pictures for the guide, none above 200 KB.

The skills are those that `make demo` trained (`runs/demo`), where they fit this base; else
adapters are constructed, whose answers make no sense. Without Chromium the exam ends and names
the package that brings it.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from playwright.sync_api import Browser, Error

from ...adapters import BaseIdentity, Delta, Store, identify_base, write_peft
from ...distill.tiny_base import tiny_base_path
from ...server.config import ServeConfig
from ...server.gateway.access.key_file import KeyFile
from ...server.gateway.access.keys import Wish
from ...server.running import serve_in_background
from ..bench.rows import Row
from .page_access import ACCESS
from .page_browser import MISSING, Chromium, chromium, find_chromium
from .page_engine import engine_ends
from .page_place import Place, add_rest, fill
from .page_shots import take_pictures, traffic
from .page_views import VIEWS, Check, faults_of, with_a_key
from .report import ROOT, write_exam

RANK, STRENGTH = 8, 0.05
MAX_PICTURE_BYTES = 200_000
ADMIN_KEY = "admin-key-of-the-exam"


def main(
    demo: Path = ROOT / "runs" / "demo",
    pictures: Path = ROOT / "docs" / "images",
    folder: Path = ROOT / "results" / "exams",
) -> int:
    """Run all checks, take the pictures, write `results/exams/page.json`; 1 where one fails."""
    program = find_chromium()
    if program is None:
        print(f"exam page: {MISSING}", file=sys.stderr)
        return 1
    with (
        tempfile.TemporaryDirectory(prefix="skillweave-page-") as scratch,
        _served(Path(scratch), demo) as (place, pid),
        chromium(program) as browser,
    ):
        rows = [*_checks(browser, place, {**VIEWS, **ACCESS})]
        with traffic(place):
            taken = browser.run(partial(take_pictures, place=place, folder=pictures))
        rows += _picture_rows(taken)
        rows += _checks(browser, place, {"an engine that ends": engine_ends(pid)})
        with _locked(Path(scratch), place) as (other, token):
            rows += _checks(browser, other, {"a server with keys": with_a_key(token)})
    path = write_exam("page", rows, folder=folder, skills=(place.first, place.second))
    for row in rows:
        print(f"{'ok  ' if row.holds else 'MISS'} {row.figure}: {row.value:g}")
    print(path)
    return 0 if all(row.holds for row in rows) else 1


@contextmanager
def _served(scratch: Path, demo: Path) -> Iterator[tuple[Place, int]]:
    """The place, and the pid of its engine."""
    store, names, router = _stocked(scratch, demo)
    config = ServeConfig(
        base=str(tiny_base_path()),
        store=store.root,
        skills=ROOT / "examples" / "skills",
        router=router,
        port=0,
        admin_key=ADMIN_KEY,
    )
    with serve_in_background(config) as running:
        yield Place(running.root, ADMIN_KEY, *names), running.pids[-1]


@contextmanager
def _locked(scratch: Path, place: Place) -> Iterator[tuple[Place, str]]:
    """The same store behind a server with keys, and a key for the first skill only."""
    file = KeyFile(scratch / "keys.jsonl")
    token = file.create(Wish(name="exam", globs=(place.first,))).token
    config = ServeConfig(
        base=str(tiny_base_path()), store=scratch / "store", port=0, keys=file.path, engine="fake"
    )
    with serve_in_background(config) as running:
        yield replace(place, root=running.root), token


def _stocked(scratch: Path, demo: Path) -> tuple[Store, tuple[str, str], Path | None]:
    """A copy of the demo's store, and its router; else constructed adapters and none."""
    identity = identify_base(tiny_base_path(), cache_dir=scratch / "hashes")
    make = partial(_construct, identity)
    trained = _trained(demo / "store", identity)
    if len(trained) < 2:
        store = Store(scratch / "store")
        return store, fill(store, identity, scratch, make=make), None
    shutil.copytree(demo / "store", scratch / "store")
    store = Store(scratch / "store")
    add_rest(store, identity, make(scratch / "evil", 4), *trained[:2])
    router = demo / "router"
    return store, (trained[0], trained[1]), router if router.is_dir() else None


def _trained(root: Path, identity: BaseIdentity) -> list[str]:
    """Measured skills of a store for this base, those of the harbour first: the question is."""
    if not root.is_dir():
        return []
    store = Store(root, read_only=True)
    found = store.list(base=identity.family_digest)
    skills = {
        str(one.id)
        for one in found
        if one.card.kind == "skill"
        and any("means" in told for told in store.attestations(one.version_digest))
    }
    return sorted(skills, key=lambda name: ("harbour" not in name, name))


def _construct(identity: BaseIdentity, folder: Path, seed: int) -> Path:
    """A random adapter on every linear module of the base."""
    generator = torch.Generator().manual_seed(seed)

    def factor(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator) * STRENGTH

    modules = sorted(identity.modules.items())
    write_peft({m: Delta(factor(RANK, i), factor(o, RANK), 2.0) for m, (o, i) in modules}, folder)
    return folder


def _checks(browser: Chromium, place: Place, checks: dict[str, Check]) -> Iterator[Row]:
    for name, check in checks.items():
        faults = browser.run(_recorded(check, place))
        for fault in faults:
            print(f"{name}: {fault}", file=sys.stderr)
        yield Row(f"faults: {name}", len(faults), 1, "==", 0.0, ours={"faults": faults})


def _recorded(check: Check, place: Place) -> Callable[[Browser], list[str]]:
    """A check whose failure is a fault among others, so that the rest still runs."""

    def work(browser: Browser) -> list[str]:
        try:
            return faults_of(check, browser, place)
        except (AssertionError, Error) as err:
            return [str(err)[:2000]]

    return work


def _picture_rows(taken: list[Path]) -> list[Row]:
    largest = max(file.stat().st_size for file in taken)
    return [
        Row("pictures for the guide", len(taken), len(taken), "==", 10.0),
        Row("largest picture (bytes)", largest, len(taken), "<=", float(MAX_PICTURE_BYTES)),
    ]


if __name__ == "__main__":
    sys.exit(main())
