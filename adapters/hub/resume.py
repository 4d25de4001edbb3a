"""Complete a file that is there in part, however often the connection breaks.

Knows nothing of any client: it is given a way to ask for the rest. Owns the order of append and
retry. Refuses to own whether the bytes are the right ones (the caller holds a digest against them).
"""

import os
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO

from ..errors import HubError

_MAX_STUCK = 4


@dataclass(frozen=True)
class Part:
    """An answer to "the bytes from here on": `whole` where all bytes come again from the first."""

    whole: bool
    pieces: Iterable[bytes]


def complete(
    writer: BinaryIO,
    *,
    size: int,
    part: Callable[[int], AbstractContextManager[Part]],
    broken: tuple[type[Exception], ...],
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Append to a file until it has `size` bytes, and bring them to the disk.

    The client's own function writes in pieces of 10 MB, and what is killed in between is lost; here
    every piece is written as it comes.

    Args:
        writer: opened for appending; what it holds already is kept.
        part: asks for the bytes from a position on.
        broken: what it raises when a connection breaks; it counts after some without a byte.
        wait: seconds before the next attempt.

    Raises:
        HubError: more bytes come than `size`, or again and again none.
    """
    if writer.tell() > size:
        writer.truncate(0)
    stuck = 0
    while (start := writer.seek(0, os.SEEK_END)) < size:
        try:
            with part(start) as found:
                if found.whole:
                    writer.truncate(0)
                    writer.seek(0)  # which truncating does not do
                for piece in found.pieces:
                    writer.write(piece)
                    if writer.tell() > size:
                        raise HubError(f"more than the {size} bytes that are listed are sent")
        except broken:
            if stuck == _MAX_STUCK:
                raise
        finally:
            writer.flush()
        stuck = stuck + 1 if writer.tell() <= start else 0
        if stuck > _MAX_STUCK:
            raise HubError(f"the file ends after {start} of {size} bytes, again and again; repeat")
        wait(float(stuck))
    os.fsync(writer.fileno())
