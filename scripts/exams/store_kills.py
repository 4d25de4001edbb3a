"""Four writers and two readers on one store, and one writer after another killed with `kill -9`.

    python -m skillweave.scripts.exams.store_kills FOLDER KILLS SEED    prints JSON

A writer says what it is about to do and what was acknowledged, over a pipe that outlives it. The
judge knows from that what must be there: every acknowledged version that nobody began to remove,
under its number, with its digest; an alias where it was last acknowledged or where a later word may
have moved it. It looks through a page (the index) after every kill, and through `fsck` at the end.
Readers resolve and page all the while; one of them deletes the index now and then. A process of its
own, because it forks.
"""

import contextlib
import itertools
import json
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypedDict

import torch

from ...adapters import Conflict, NotFound, Store, StoreError, Version
from .store_jobs import Material, card

WRITERS, READERS = 4, 2
SHARED = "shared"
Say = Callable[..., None]


@dataclass
class Book:
    """What the writers said: what must be there, and what may be."""

    versions: dict[tuple[str, int], str] = field(default_factory=dict)
    doubtful: set[tuple[str, int]] = field(default_factory=set)
    removed: set[tuple[str, int]] = field(default_factory=set)
    aliases: dict[str, set[int]] = field(default_factory=dict)
    moves: dict[str, set[int]] = field(default_factory=dict)
    """Where aliases were about to be moved since the last look."""
    done: Counter[str] = field(default_factory=Counter)

    def note(self, line: dict[str, object]) -> None:
        """One line of a writer."""
        word, name = str(line["word"]), str(line.get("name", ""))
        number = int(str(line.get("number", 0)))
        self.done[word] += 1
        if word == "put":
            self.versions[name, number] = str(line["digest"])
        elif word == "removing":
            self.doubtful.add((name, number))
        elif word == "kept":
            self.doubtful.discard((name, number))
        elif word == "removed":
            self.removed.add((name, number))
        elif word == "tagging":
            self.aliases.setdefault(name, {0}).add(number)
            self.moves.setdefault(name, set()).add(number)
        elif word == "tagged":
            self.aliases[name] = {number}

    def allowed(self) -> dict[str, set[int]]:
        """Where each alias may be, as far as was heard."""
        return {name: set(numbers) for name, numbers in self.aliases.items()}


@dataclass
class Seen:
    """A store as its index shows it: versions, and where each writer's alias is."""

    versions: dict[tuple[str, int], str] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, store: Store) -> "Seen":
        """One page, so that it is one moment: an alias may move between two pages."""
        seen, page = cls(), store.page(limit=1_000_000)
        for version, names in zip(page.versions, page.aliases, strict=True):
            seen.versions[str(version.id), version.number] = version.version_digest
            if "mine" in names:
                seen.aliases[str(version.id)] = version.number
        return seen


def look(store: Store, book: Book, hear: Callable[[], None]) -> Iterator[str]:
    """What is wrong: what was heard before the look must be seen, unless what was heard after it
    explains why not (a writer speaks before it removes or moves something).
    """
    hear()
    due, removed, allowed = dict(book.versions), set(book.removed), book.allowed()
    seen = Seen.of(store)
    hear()
    for key, digest in due.items():
        if key not in book.doubtful and seen.versions.get(key) != digest:
            yield f"acknowledged and lost: {key} is {seen.versions.get(key)}, was {digest}"
    for key in removed & seen.versions.keys():
        yield f"removed and there: {key}"
    for name, numbers in allowed.items():
        may = numbers | book.moves.get(name, set())
        if seen.aliases.get(name, 0) not in may:
            yield f"alias of {name} is at {seen.aliases.get(name, 0)}, expected one of {may}"
    book.moves.clear()


def write(root: Path, made: Material, me: int, seed: int, say: Say) -> None:
    """Change the store for ever, in words that the judge understands."""
    rng, store = random.Random(seed), Store(root)
    mine, counter = f"team/writer-{me}", seed * 100_000
    numbers: list[int] = []
    with contextlib.suppress(NotFound):
        numbers = [version.number for version in store.versions(mine)]
    while True:
        counter += 1
        turn = rng.random()
        if turn < 0.45 or len(numbers) < 3:
            name = mine if turn < 0.3 or len(numbers) < 3 else SHARED
            put = store.put(made.adapter(counter % 3), card=card(counter), name=name)
            say("put", name=name, number=put.number, digest=put.version_digest)
            numbers += [put.number] if name == mine else []
        elif turn < 0.7:
            number = rng.choice(numbers)
            say("tagging", name=mine, number=number)
            store.tag(mine, "mine", number)
            say("tagged", name=mine, number=number)
        elif turn < 0.85:
            number = rng.choice(numbers)
            say("removing", name=mine, number=number)
            try:
                store.remove(mine, number)
            except Conflict:  # an alias means it
                say("kept", name=mine, number=number)
            else:
                numbers.remove(number)
                say("removed", name=mine, number=number)
        elif turn < 0.92:
            store.attest(store.resolve(mine).version_digest, {"score": counter})
            say("attested")
        elif turn < 0.97:
            store.import_bundle(made.bundle)
            say("imported")
        else:
            store.gc()
            say("collected")


def read(root: Path, seed: int, say: Say) -> None:
    """Look at the store for ever; what is shown must be whole.

    `SHARED` has a version before anybody reads, and loses none: it must always resolve.
    """
    rng, store = random.Random(seed), Store(root)
    bare = Store(root, read_only=True)
    while True:
        page = store.page(limit=50)
        for version in page.versions[:5]:
            with contextlib.suppress(NotFound):  # removed meanwhile
                found = store.resolve(version.ref)
                if found.version_digest != version.version_digest:
                    raise AssertionError(f"{version.ref} is two things")
        for reader in (store, bare):
            reader.resolve(SHARED)
            reader.resolve(f"{SHARED}@latest")
            if not reader.versions(SHARED) or not reader.page(limit=1).versions:
                raise AssertionError("a name with versions is shown without")
        store.search("sql", limit=5)
        if seed == 0 and rng.random() < 0.1:
            (root / "index.sqlite").unlink(missing_ok=True)
        time.sleep(0.02)


@dataclass
class Process:
    """A forked child and the end of its pipe."""

    pid: int
    pipe: int
    rest: bytes = b""

    @classmethod
    def start(cls, label: str, work: Callable[[Say], None]) -> "Process":
        """Fork; the child works until it is killed."""
        out, into = os.pipe()
        pid = os.fork()
        if pid:
            os.close(into)
            os.set_blocking(out, False)
            return cls(pid, out)

        def say(word: str, **words: object) -> None:
            os.write(into, json.dumps({"word": word, **words}).encode() + b"\n")

        try:
            work(say)
        except BaseException:
            say("fault", text=f"{label}: {traceback.format_exc()[-1500:]}")
        os._exit(1)

    def words(self) -> list[dict[str, object]]:
        """What it has said since it was last asked."""
        with contextlib.suppress(BlockingIOError):
            while part := os.read(self.pipe, 1 << 16):
                self.rest += part
        *lines, self.rest = self.rest.split(b"\n")
        return [json.loads(line) for line in lines]

    def kill(self) -> list[dict[str, object]]:
        """End it; its last words."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        words = self.words()
        os.close(self.pipe)
        return words


@dataclass
class Crowd:
    """The processes, what they said, and what was wrong."""

    root: Path
    made: Material
    book: Book = field(default_factory=Book)
    faults: list[str] = field(default_factory=list)
    writers: list[Process] = field(default_factory=list)
    readers: list[Process] = field(default_factory=list)
    turns: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def start(self) -> None:
        """Everybody begins."""
        self.writers = [self.writer(me) for me in range(WRITERS)]
        self.readers = [
            Process.start(f"reader {n}", partial(read, self.root, n)) for n in range(READERS)
        ]

    def writer(self, me: int) -> Process:
        """One more writer of this number."""
        turn = next(self.turns)
        return Process.start(f"writer {me}", partial(write, self.root, self.made, me, turn))

    def note(self, lines: list[dict[str, object]]) -> None:
        """What somebody said."""
        for line in lines:
            if line["word"] == "fault":
                self.faults.append(str(line["text"]))
            else:
                self.book.note(line)

    def hear(self) -> None:
        """What everybody said since."""
        for process in (*self.writers, *self.readers):
            self.note(process.words())

    def replace(self, me: int) -> None:
        """Kill one writer, let another take its place, and look at the store."""
        self.note(self.writers[me].kill())
        self.writers[me] = self.writer(me)
        store = Store(self.root)
        try:
            self.faults += look(store, self.book, self.hear)
        except StoreError as err:
            self.faults.append(f"cannot be read: {err}")
        store.close()

    def end(self) -> list[Version]:
        """Kill everybody and prove what is left; what is listed."""
        for process in (*self.writers, *self.readers):
            self.note(process.kill())
        store = Store(self.root)
        self.faults += [f"fsck: {problem}" for problem in store.fsck()]
        self.faults += look(store, self.book, lambda: None)
        store.gc()
        self.faults += [f"fsck after gc: {problem}" for problem in store.fsck()]
        listed = store.list()
        if [*store.page(limit=10**9).versions] != listed:
            self.faults.append("the index differs from the files")
        return listed


class Killed(TypedDict):
    """What was seen: kills, versions listed at the end, words of writers, and what was wrong."""

    kills: int
    versions: int
    done: dict[str, int]
    faults: list[str]


def kills(folder: Path, num: int, seed: int) -> Killed:
    """Kill `num` writers, one after another."""
    torch.set_num_threads(1)  # forked children may not meet threads
    folder.mkdir(parents=True, exist_ok=True)
    made, rng = Material(folder), random.Random(seed)
    for each in range(3):
        made.adapter(each)
    assert made.bundle.is_file()
    crowd = Crowd(folder / "store", made)
    Store(crowd.root).put(made.adapter(0), card=card(0), name=SHARED)
    crowd.start()
    for _ in range(num):
        time.sleep(rng.uniform(0.005, 0.15))
        crowd.replace(rng.randrange(WRITERS))
    listed = crowd.end()
    done = dict(crowd.book.done)
    return {"kills": num, "versions": len(listed), "done": done, "faults": crowd.faults}


if __name__ == "__main__":
    print(json.dumps(kills(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
