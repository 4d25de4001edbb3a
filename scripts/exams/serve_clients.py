"""Clients that behave badly: slow to send, slow to read, gone in the middle; beside good ones.

A part of the exam `serve`. Criterion, before the run: while forty bad clients hold their
connections the good ones get only right answers, their slowest under 2 s; what a client that has
left asked for is stopped in the engine (no adapter stays in use, no answer runs on); garbage and
over-long bodies as `serve_garbage.py` says. Owns the bad manners.
"""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from ..bench.rows import Row
from .serve_crowd import COMPLETIONS, Crowd
from .serve_garbage import cases, fault_of, over_long, post
from .serve_ground import Ground, serving

BAD, CLIENTS = 40, 2
BAR_SLOWEST_S = 2.0
GONE_S = 5.0
_LIMIT_BYTES = 32 * 1024 * 1024
_LONG = b'{"model":"crowd@1","prompt":"%s","max_tokens":400,"stream":true}' % (b"word " * 400)


def rows(home: Path, *, seconds: float = 5.0, clients: int = CLIENTS) -> list[Row]:
    """Each kind of bad client in turn on one server, then garbage."""
    with serving(home, engine_args=("--token-delay", "0.01")) as ground:
        crowd = Crowd(ground.running.root, ground.models)
        crowd.learn()
        found: list[Row] = []
        for what, hold in (("slow senders", slow_senders), ("slow readers", slow_readers)):
            found += _beside(crowd, ground, what, hold, seconds=seconds, clients=clients)
        found.append(_gone(ground))
        every = [*cases(), over_long(_LIMIT_BYTES + 1), over_long(3 * _LIMIT_BYTES)]
        faults = [fault for case in every if (fault := fault_of(ground.running.root, case))]
        crowd.until_right(ground.models[-1], within_s=30.0)
    faults += crowd.tally.faults
    told: dict[str, object] = {"faults": faults[:10]}
    found.append(
        Row("garbage and over-long bodies: faults", len(faults), len(every), "==", 0, ours=told)
    )
    return found


@contextlib.contextmanager
def slow_senders(url: str) -> Iterator[Callable[[], None]]:
    """Half of them dribble a head, half a body; yields what sends one more byte of each."""
    whole = post(b'{"model":"base","prompt":"hi","max_tokens":1}', path=COMPLETIONS)
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(_connect(url)) for _ in range(BAD)]
        sent = [0 if place % 2 else whole.index(b"\r\n\r\n") + 4 for place in range(BAD)]
        for wire, start in zip(wires, sent, strict=True):
            wire.sendall(whole[:start])

        def go_on() -> None:
            for place, wire in enumerate(wires):
                with contextlib.suppress(OSError):
                    wire.sendall(whole[sent[place] : sent[place] + 1])
                sent[place] += 1

        yield go_on


@contextlib.contextmanager
def slow_readers(url: str) -> Iterator[Callable[[], None]]:
    """They ask for long streams, and read a byte of them now and then."""
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(_connect(url, buffer=1024)) for _ in range(BAD)]
        for wire in wires:
            wire.sendall(post(_LONG, path=COMPLETIONS))

        def go_on() -> None:
            for wire in wires:
                with contextlib.suppress(OSError):
                    wire.recv(1)

        yield go_on


def _beside(
    crowd: Crowd,
    ground: Ground,
    what: str,
    hold: Callable[[str], contextlib.AbstractContextManager[Callable[[], None]]],
    *,
    seconds: float,
    clients: int,
) -> list[Row]:
    before, faults = crowd.tally.answered, len(crowd.tally.faults)
    slowest = 0.0
    with hold(ground.running.root) as go_on, crowd.asking(clients):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            go_on()
            slowest = max(slowest, crowd.until_right(ground.models[1]))
            time.sleep(0.1)
    answered = crowd.tally.answered - before
    told: dict[str, object] = {"slowest_s": slowest, "faults": crowd.tally.faults[faults:][:5]}
    return [
        Row(
            f"{what}, {BAD}: slowest answer to a good client (s)",
            slowest,
            answered,
            "<=",
            BAR_SLOWEST_S,
        ),
        Row(
            f"{what}, {BAD}: faults seen by good clients",
            len(crowd.tally.faults) - faults,
            answered,
            "==",
            0,
            ours=told,
        ),
    ]


def _gone(ground: Ground) -> Row:
    """Clients that hang up: while a stream runs, and before a whole answer."""
    running = 0
    for body in (_LONG, _LONG.replace(b',"stream":true', b"")):
        for _ in range(BAD // 2):
            with _connect(ground.running.root) as wire:
                wire.sendall(post(body, path=COMPLETIONS))
                time.sleep(0.02)
    end = time.monotonic() + GONE_S
    while (running := _in_use(ground)) and time.monotonic() < end:
        time.sleep(0.1)
    return Row(
        f"clients gone, {BAD}: requests still running after {GONE_S:g} s", running, BAD, "==", 0
    )


def _in_use(ground: Ground) -> int:
    loaded = ground.state()["loaded"]
    assert isinstance(loaded, list)
    return sum(int(one["in_use"]) for one in loaded)


def _connect(url: str, *, buffer: int | None = None) -> socket.socket:
    parts = urlsplit(url)
    wire = socket.socket()
    if buffer is not None:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    wire.settimeout(20.0)
    wire.connect((parts.hostname or "127.0.0.1", parts.port or 80))
    return wire
