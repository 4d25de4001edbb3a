"""Version purity: no answer mixes two versions, whatever is published while it is made.

A part of the exam `serve`. Criterion, before the run: 50 adapters whose greedy answers differ
pairwise on every prompt, each with a margin above 0.01 (asserted before anything is served);
1 000 requests of more than 300 prompt tokens, prefix cache on, while the 50 are published one after
another; every reply is 200 and is the answer of the version that its header names. Once for each
life: versions of the store behind an alias, and steps of a run. Needs an engine.
"""

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ...adapters import Card, Store, identify_base
from ...adapters.errors import SkillweaveError
from ...distill.tiny_base import tiny_base_path
from ...server.config import ServeConfig
from ...server.running import Running, serve_in_background
from ..bench.rows import Row
from ..bench.serve_upload import ids_of, must, publish_stored, upload_request
from ..bench.serve_wire import Line
from .serve_marked import MARGIN, WORDS, Marked, Workshop, prompts, write_marked

ADAPTERS, REQUESTS, CLIENTS, PROMPTS = 50, 1000, 4, 4
NAME, RUN = "purity", "purity-run"
COMPLETIONS = "/v1/completions"


@dataclass
class Seen:
    """What came back. `versions` counts the answers of each."""

    versions: Counter[int] = field(default_factory=Counter)
    mixed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Ground:
    """What both lives are asked on."""

    made: Sequence[Marked]
    folders: Sequence[Path]
    asked: Sequence[Sequence[int]]
    store: Store
    requests: int


def rows(
    home: Path,
    *,
    adapters: int = ADAPTERS,
    requests: int = REQUESTS,
    num_prompts: int = PROMPTS,
) -> list[Row]:
    """Prove the adapters, then serve and ask."""
    asked = prompts(num_prompts)
    workshop = Workshop(tiny_base_path(), asked)
    made = workshop.make(adapters)
    proof = workshop.prove(made)
    first = [
        Row("purity: smallest top-2 margin", proof.margin, adapters, op=">=", bar=MARGIN),
        Row(
            "purity: answers differ pairwise on every prompt",
            float(proof.distinct),
            adapters * num_prompts,
            op="==",
            bar=1.0,
        ),
        Row(
            "purity: control, share of answers on another version's cache that would be seen",
            proof.seen / proof.tried,
            proof.tried,
            op=">=",
            bar=0.5,
        ),
    ]
    if not all(row.holds for row in first):
        return first
    store = Store(home / "store")
    ground = Ground(made, write_marked(made, home), asked, store, requests)
    return [*first, *served_rows(ground)]


def served_rows(ground: Ground) -> list[Row]:
    """Both lives on one engine."""
    base = tiny_base_path()
    identity = identify_base(base)
    card = Card(kind="skill", base=identity.for_card())
    refs = [
        ground.store.put(folder, card=card, name=NAME, base=identity).ref
        for folder in ground.folders
    ]
    config = ServeConfig(
        base=str(base), store=ground.store.root, port=0, lora_slots=4, prefix_cache=True
    )
    with serve_in_background(config) as running:

        def stored(line: Line, place: int) -> None:
            publish_stored(line, refs[place], key=running.admin_key, alias="default")

        def step(line: Line, place: int) -> None:
            fields = {"run": RUN, "step": place + 1}
            folder = ground.folders[place]
            must(line.ask(upload_request(line, folder, fields, key=running.admin_key)))

        return [
            *_life("versions behind an alias", f"{NAME}@default", stored, running, ground),
            *_life("steps of a run", RUN, step, running, ground),
        ]


def _life(
    what: str,
    model: str,
    publish: Callable[[Line, int], None],
    running: Running,
    ground: Ground,
) -> list[Row]:
    """Publish one after the other while clients ask without a pause."""
    seen = Seen()
    with Line(running.root) as line:
        publish(line, 0)
    counter = itertools.count()
    asked = threading.Semaphore(0)

    def ask() -> None:
        with Line(running.root) as line:
            while (turn := next(counter)) < ground.requests:
                try:
                    _one(line, model, turn % len(ground.asked), ground, seen)
                except OSError as err:
                    seen.failed.append(f"request {turn}: {err}")
                finally:
                    asked.release()

    def move() -> None:
        share = ground.requests // len(ground.made)
        with Line(running.root) as line:
            for place in range(1, len(ground.made)):
                for _ in range(share):
                    asked.acquire()
                try:
                    publish(line, place)
                except (SkillweaveError, OSError) as err:
                    seen.failed.append(f"publish {place}: {err}")

    with ThreadPoolExecutor(CLIENTS + 1) as pool:
        work = [pool.submit(one) for one in (*[ask] * CLIENTS, move)]
    for done in work:
        done.result()
    told = {"faults": [*seen.mixed, *seen.failed][:10], "versions_seen": len(seen.versions)}
    total = sum(seen.versions.values())
    return [
        Row(
            f"purity, {what}: answers that are not of the version named",
            len(seen.mixed),
            total,
            op="==",
            bar=0,
            ours=told,
        ),
        Row(f"purity, {what}: failed", len(seen.failed), ground.requests, op="==", bar=0),
        Row(
            f"purity, {what}: versions that answered",
            len(seen.versions),
            total,
            op=">=",
            bar=0.9 * len(ground.made),
        ),
    ]


def _one(line: Line, model: str, prompt: int, ground: Ground, seen: Seen) -> None:
    body: dict[str, object] = {
        "model": model,
        "prompt": list(ground.asked[prompt]),
        "max_tokens": WORDS,
        "temperature": 0,
        "ignore_eos": True,
        "return_token_ids": True,
    }
    heard = line.ask(line.request(COMPLETIONS, body))
    if heard.status != 200:
        seen.failed.append(f"{heard.status}: {heard.body[:200]!r}")
        return
    version = int(heard.headers["x-skillweave-version"])
    seen.versions[version] += 1
    right = ground.made[version - 1].answers[prompt]
    if (told := ids_of(heard)) != right:
        owners = [n + 1 for n, one in enumerate(ground.made) if one.answers[prompt] == told]
        seen.mixed.append(f"version {version} said {told}, expected {right}; that is {owners}")
