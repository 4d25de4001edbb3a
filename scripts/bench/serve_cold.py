"""What was never asked for before: a mix of three skills, and one cold adapter for fifty at once.

A part of the bench `serve`. Owns these rows and their bars.
"""

import statistics
import threading
from collections import Counter
from collections.abc import Sequence

from ...server.config import ServeConfig
from ...server.running import serve_in_background
from .rows import Row
from .serve_bases import Base
from .serve_publish import completion
from .serve_sides import Side, fake_loads, gateway_of
from .serve_upload import ids_of, must
from .serve_wire import Heard, Line

BAR_MIX_S = 80e-3
TERMS, MIXES, CALLERS = 3, 15, 50
_GRID = (0.25, 0.5, 0.75, 1.0, -0.25, -0.5)


def mix_row(base: Base, gateway: Side, *, num: int = MIXES) -> Row:
    """First answers of unseen mixes, in turn with a term that is resident.

    Equality: each mix says the same when it is asked again, and what no term alone says.
    """
    refs = [base.stored(f"term-{place}", 10 + place, rank=4) for place in range(TERMS)]
    with Line(gateway.url) as line:
        alone = [ids_of(must(line.ask(completion(line, ref)))) for ref in refs]
        for mix in mixes(refs, 2, skip=num):
            must(line.ask(completion(line, mix)))
        seen: list[tuple[Heard, Heard]] = []
        for mix in mixes(refs, num):
            seen.append((line.ask(completion(line, refs[0])), line.ask(completion(line, mix))))
        again = [ids_of(must(line.ask(completion(line, mix)))) for mix in mixes(refs, num)]
    more = [must(first).total_s - must(resident).total_s for resident, first in seen]
    firsts = [ids_of(first) for _, first in seen]
    return Row(
        f"first answer of an unseen mix of {TERMS} less that of a resident adapter, p50 (s)",
        statistics.median(more),
        num,
        op="<=",
        bar=BAR_MIX_S,
        equal=firsts == again and not set(firsts) & set(alone),
        ours={"largest_s": max(more), "resident_s": statistics.median(a.total_s for a, _ in seen)},
    )


def mixes(refs: Sequence[str], num: int, *, skip: int = 0) -> list[str]:
    """Expressions that differ in their weights."""
    made = [
        "+".join(f"{ref}*{weight}" for ref, weight in zip(refs, (a, b, c), strict=True))
        for a in _GRID
        for b in _GRID
        for c in _GRID
    ]
    return made[skip : skip + num]


def cold_row(base: Base, *, callers: int = CALLERS) -> Row:
    """Fifty clients, one adapter that nobody asked for before: how often an engine loads it.

    The fake engine counts; each load takes it 0.3 s, so that all are there before the first ends.
    """
    ref = base.stored("cold", 77)
    config = ServeConfig(
        base=str(base.path),
        store=base.store.root,
        port=0,
        engine="fake",
        engine_args=("--load-delay", "0.3"),
    )
    with serve_in_background(config) as running:
        gateway = gateway_of(running)
        ready = threading.Barrier(callers)
        told: list[tuple[int, str]] = []

        def ask() -> None:
            with Line(gateway.url) as line:
                request = completion(line, ref)
                ready.wait()
                heard = line.ask(request)
                told.append((heard.status, heard.body.decode().split('"text":')[-1][:20]))

        workers = [threading.Thread(target=ask) for _ in range(callers)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        loads = len(fake_loads(running))
    answers = Counter(told)
    return Row(
        f"loads of a cold adapter that {callers} clients ask for at once",
        loads,
        callers,
        op="==",
        bar=1,
        equal=len(answers) == 1 and next(iter(answers))[0] == 200,
        ours={"answers": len(answers)},
    )
