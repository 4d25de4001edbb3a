"""A kill or a full disk at any moment: nothing half-written is ever listed, and work goes on."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from skillweave.adapters.base.identity import BaseIdentity
from skillweave.adapters.card import Card, card_bytes
from skillweave.adapters.errors import StoreError
from skillweave.adapters.store.store import Store

from .failing_ops import FailingOps

NAME = "shared"
Job = Callable[[Store], object]


def full_disk() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def processes(mode: str, root: Path, adapter_dir: Path, card: Card) -> list[str]:
    """Run one mode of `store_processes.py` and return what it printed."""
    note = root.parent / "card-for-processes.json"
    note.write_bytes(card_bytes(card))
    script = Path(__file__).with_name("store_processes.py")
    done = subprocess.run(
        [sys.executable, str(script), mode, str(root), str(adapter_dir), str(note)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def assert_sound(store: Store) -> None:
    """Whatever is listed is whole; what is left over is unlisted, and gc frees all of it."""
    assert list(store.page(limit=1000).versions) == store.list()
    assert store.fsck() == []
    for version in store.list():
        assert store.resolve(version.ref).path.is_dir()
    store.gc(rows_min_age_s=0)
    assert list(store.root.rglob(".tmp-*")) == []
    assert [*(store.root / "pending").glob("*")] == []
    named = {version.version_digest for version in store.list()}
    assert {path.name for path in (store.root / "objects").iterdir()} == named


@pytest.fixture
def jobs(adapter_dir: Path, card: Card, skill_dir: Path) -> dict[str, Job]:
    later = card.model_copy(update={"seed": 2})

    def put(store: Store) -> object:
        return store.put(adapter_dir, card=later, name=NAME, skill_dir=skill_dir, aliases=("prod",))

    return {
        "put": put,
        "put rows": lambda store: store.put_rows([{"n": 1}, {"n": 2}]),
        "tag": lambda store: store.tag(NAME, "prod", 1),
        "attest": lambda store: store.attest(store.resolve(NAME).version_digest, {"score": 1}),
        "remove": lambda store: store.remove(NAME, 1),
        "gc": lambda store: store.gc(),
    }


def fails(job: Job, store: Store) -> bool:
    """Whether the job reports a full disk; anything else goes through."""
    try:
        job(store)
    except StoreError as err:
        if "No space left" not in str(err):
            raise
        return True
    return False


@pytest.fixture(scope="module")
def one_version(
    tmp_path_factory: pytest.TempPathFactory, adapter_dir: Path, base: BaseIdentity
) -> Path:
    """A store with one version and some unfinished work, to be copied."""
    root = tmp_path_factory.mktemp("one") / "store"
    card = Card(kind="skill", base=base.for_card(name="tiny"), seed=1)
    Store(root).put(adapter_dir, card=card, name=NAME)
    (root / "objects" / ".tmp-old").mkdir()
    return root


@pytest.mark.slow
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("job", ["put", "put rows", "tag", "attest", "remove", "gc"])
def test_a_disk_that_fails_at_any_single_operation(
    tmp_path: Path, one_version: Path, jobs: dict[str, Job], job: str, lasting: bool
) -> None:
    failures = 0
    for at in range(1, 200):
        root = Path(shutil.copytree(one_version, tmp_path / str(at)))
        first = Store(root).resolve(NAME)
        ops = FailingOps(at, full_disk, lasting=lasting)
        if fails(jobs[job], Store(root, ops=ops)):
            failures += 1
            assert_sound(Store(root))
            if job == "remove":  # it may have failed after it was done
                assert Store(root).list() in ([], [first])
            else:
                assert first in Store(root).list()
                jobs[job](Store(root))
                assert Store(root).fsck() == []
        if ops.done < at:
            break
    else:
        pytest.fail("the job never ran to its end")
    assert failures >= 2


@pytest.mark.slow
def test_a_first_put_that_fails_late_is_repaired_by_repeating_it(
    tmp_path: Path, jobs: dict[str, Job]
) -> None:
    for at in range(1, 200):
        root = tmp_path / str(at)
        ops = FailingOps(at, full_disk)
        fails(jobs["put"], Store(root, ops=ops))
        assert Store(root).fsck() == []
        jobs["put"](Store(root))
        assert Store(root).aliases(NAME) == {"default": 1, "prod": 1}
        assert_sound(Store(root))
        if ops.done < at:
            return
    pytest.fail("the job never ran to its end")


@pytest.mark.slow
def test_a_writer_killed_at_every_operation(tmp_path: Path, adapter_dir: Path, card: Card) -> None:
    root = tmp_path / "stores"
    (printed,) = processes("kill_at_every_operation", root, adapter_dir, card)
    assert int(printed) >= 15
    seen = set()
    for at in range(1, int(printed) + 1):
        store = Store(root / str(at))
        listed = store.list()
        seen.add(len(listed))
        assert [v.card.seed for v in listed] in ([1], [1, 2])
        assert store.resolve(NAME).number == 1
        assert_sound(store)
        later = store.put(adapter_dir, card=card.model_copy(update={"seed": 2}), name=NAME)
        assert later.number == 2
    assert seen == {1, 2}


@pytest.mark.slow
def test_writers_killed_at_random_moments(tmp_path: Path, adapter_dir: Path, card: Card) -> None:
    root = tmp_path / "store"
    (printed,) = processes("kill_at_random", root, adapter_dir, card)
    store = Store(root)
    listed = store.versions(NAME)
    assert len(listed) == int(printed) > 0
    assert [v.number for v in listed] == list(range(1, len(listed) + 1))
    assert_sound(store)


@pytest.mark.slow
def test_a_disk_that_takes_no_large_file(tmp_path: Path, adapter_dir: Path, card: Card) -> None:
    root = tmp_path / "store"
    assert processes("fill_the_disk", root, adapter_dir, card) == ["7"] * 5  # StoreError
    assert [v.number for v in Store(root).list()] == [1]
    assert_sound(Store(root))


@pytest.mark.slow
def test_many_processes_at_once_lose_nothing(tmp_path: Path, adapter_dir: Path, card: Card) -> None:
    root = tmp_path / "store"
    printed = processes("crowd", root, adapter_dir, card)
    assert printed[:9] == ["0"] * 9
    assert printed[9] == "23"  # one winner for each of the moves 1 -> 24
    versions = Store(root).versions(NAME)
    assert [v.number for v in versions] == list(range(1, 25))
    assert len({v.version_digest for v in versions}) == 24
    assert Store(root).aliases(NAME) == {"default": 1, "prod": 24}
    assert_sound(Store(root))
