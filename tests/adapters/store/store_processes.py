"""Real processes that write to a store and die; run as a script, so that torch is imported once.

    python store_processes.py MODE STORE ADAPTER CARD

Each mode forks children that work on the store for themselves; the caller judges what is left.
"""

import os
import random
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import safetensors.torch  # noqa: F401  (once, here, and not in every child)
import torch
from failing_ops import FailingOps
from skillweave.adapters.card import Card, parse_card
from skillweave.adapters.errors import Conflict, StoreError
from skillweave.adapters.store.store import Store

STORE_ERROR = 7
torch.set_num_threads(1)  # forked children may not meet threads
NAME = "shared"


def child(work: Callable[[], None]) -> int:
    """Run `work` in a process of its own; its pid."""
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    except StoreError:
        os._exit(STORE_ERROR)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def outcome(pid: int) -> int:
    """The child's exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def seeded(card: Card, seed: int) -> Card:
    return card.model_copy(update={"seed": seed})


def kill_at_every_operation(root: Path, adapter: Path, card: Card) -> None:
    """A writer killed at its 1st, 2nd, ... operation, each in a store of its own."""
    for at in range(1, 200):
        store = root / str(at)
        Store(store).put(adapter, card=seeded(card, 1), name=NAME)
        ops = FailingOps(at, die)

        def work(store: Path = store, ops: FailingOps = ops) -> None:
            Store(store, ops=ops).put(adapter, card=seeded(card, 2), name=NAME, aliases=("prod",))

        if outcome(child(work)) == 0:
            print(at - 1)
            return


def kill_at_random(root: Path, adapter: Path, card: Card) -> None:
    """Writers killed at whatever moment, all in one store."""
    rng = random.Random(0)
    for round_number in range(8):

        def work(first: int = 1000 * round_number) -> None:
            for seed in range(first, first + 1000):
                Store(root).put(adapter, card=seeded(card, seed), name=NAME, aliases=("prod",))

        pid = child(work)
        time.sleep(rng.uniform(0.02, 0.3))
        os.kill(pid, signal.SIGKILL)
        outcome(pid)
    print(len(Store(root).list()))


def fill_the_disk(root: Path, adapter: Path, card: Card) -> None:
    """Writers that may write no file beyond some size, as on a full disk."""
    Store(root).put(adapter, card=seeded(card, 1), name=NAME)
    for limit in (0, 100, 600, 2000, 7000):

        def work(limit: int = limit) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            Store(root).put(adapter, card=seeded(card, 2), name=NAME)

        print(outcome(child(work)))


def crowd(root: Path, adapter: Path, card: Card) -> None:
    """Four writers and a collector at once; then four that race to move one alias."""

    def write(first: int) -> None:
        for seed in range(first, first + 6):
            Store(root).put(adapter, card=seeded(card, seed), name=NAME)

    def collect() -> None:
        for _ in range(10):
            Store(root).gc()

    pids = [child(lambda n=n: write(100 * n)) for n in range(4)] + [child(collect)]
    print(*(outcome(pid) for pid in pids))
    Store(root).tag(NAME, "prod", 1)

    def race(mine: Path) -> None:
        moved = 0
        while (now := Store(root).aliases(NAME)["prod"]) < 24:
            try:
                Store(root).tag(NAME, "prod", now + 1, expected=now)
                moved += 1
            except Conflict:
                continue
        mine.write_text(str(moved))

    notes = [root.parent / f"race-{n}" for n in range(4)]
    print(*(outcome(pid) for pid in [child(lambda note=note: race(note)) for note in notes]))
    print(sum(int(note.read_text()) for note in notes))


if __name__ == "__main__":
    mode, root, adapter, card = sys.argv[1:]
    globals()[mode](Path(root), Path(adapter), parse_card(Path(card).read_bytes()))
