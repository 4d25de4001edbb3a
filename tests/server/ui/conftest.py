"""One browser and one stocked server with a fake engine for all tests of the page.

Without Chromium the tests that need it are skipped, and say which package brings it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from skillweave.adapters.base.identity import identify_base
from skillweave.adapters.store.store import Store
from skillweave.scripts.exams.page_browser import MISSING, Chromium, chromium, find_chromium
from skillweave.scripts.exams.page_place import Place, fill
from skillweave.server.config import ServeConfig
from skillweave.server.gateway.access.key_file import KeyFile
from skillweave.server.gateway.access.keys import Wish
from skillweave.server.running import Running, serve_in_background

from ...one_module import make_adapter

ADMIN_KEY = "admin-key-of-the-tests"


@dataclass(frozen=True)
class Locked:
    """A server with keys; `token` may ask `sql-*`."""

    place: Place
    token: str


def construct(folder: Path, seed: int) -> Path:
    return make_adapter(folder, seed=seed)


@pytest.fixture(scope="session")
def browser() -> Iterator[Chromium]:
    program = find_chromium()
    if program is None:
        pytest.skip(MISSING)
    with chromium(program) as found:
        yield found


@pytest.fixture(scope="session")
def store_root(base_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("page")
    store = Store(home / "store")
    fill(store, identify_base(base_dir, cache_dir=home / "hashes"), home, make=construct)
    return store.root


@pytest.fixture(scope="session")
def house(base_dir: Path, store_root: Path) -> Iterator[Running]:
    """A whole server, whose engine takes a moment to come back when it has ended."""
    config = ServeConfig(
        base=str(base_dir),
        store=store_root,
        port=0,
        engine="fake",
        admin_key=ADMIN_KEY,
        engine_args=("--token-delay", "0.005", "--start-delay", "0.5"),
    )
    with serve_in_background(config) as running:
        yield running


@pytest.fixture(scope="session")
def place(house: Running) -> Place:
    return Place(house.root, ADMIN_KEY, "sql-report", "csv-clean")


@pytest.fixture
def locked(base_dir: Path, store_root: Path, tmp_path: Path) -> Iterator[Locked]:
    """Another server on the same store, with keys."""
    file = KeyFile(tmp_path / "keys.jsonl")
    token = file.create(Wish(name="scoped", globs=("sql-*",))).token
    config = ServeConfig(
        base=str(base_dir), store=store_root, port=0, engine="fake", keys=file.path
    )
    with serve_in_background(config) as running:
        yield Locked(Place(running.root, "", "sql-report", "csv-clean"), token)


@pytest.fixture
def filled(stock: Any) -> Any:
    """The store of one test, stocked like the server's."""
    fill(stock.store, stock.identity, stock.work, make=construct)
    return stock
