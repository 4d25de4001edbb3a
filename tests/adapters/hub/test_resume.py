"""A file is completed from any part of it, whatever the connection does in between."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.adapters.errors import HubError
from skillweave.adapters.hub.resume import Part, complete

CONTENT = bytes(range(200))


class Wire:
    """Sends `CONTENT`; each answer breaks after so many bytes, the last ones do not."""

    def __init__(self, breaks: list[int], *, ranges: bool = True) -> None:
        self.breaks = list(breaks)
        self.ranges = ranges
        self.asked: list[int] = []

    @contextmanager
    def __call__(self, start: int) -> Iterator[Part]:
        self.asked.append(start)
        yield Part(not self.ranges, self._pieces(start if self.ranges else 0))

    def _pieces(self, start: int) -> Iterator[bytes]:
        end = start + self.breaks.pop(0) if self.breaks else len(CONTENT)
        for place in range(start, min(end, len(CONTENT)), 7):
            yield CONTENT[place : min(place + 7, end)]
        if end < len(CONTENT):
            raise ConnectionError


def fetch(path: Path, wire: Wire, size: int = len(CONTENT)) -> bytes:
    with path.open("ab") as writer:
        complete(writer, size=size, part=wire, broken=(ConnectionError,), wait=lambda s: None)
    return path.read_bytes()


@settings(max_examples=40)
@given(
    there=st.integers(0, len(CONTENT)),
    breaks=st.lists(st.integers(1, 60), max_size=5),
    ranges=st.booleans(),
)
def test_any_beginning_and_any_breaks(
    tmp_path_factory: pytest.TempPathFactory, there: int, breaks: list[int], ranges: bool
) -> None:
    path = tmp_path_factory.mktemp("part") / "file"
    path.write_bytes(CONTENT[:there])
    wire = Wire(breaks if ranges else [], ranges=ranges)
    assert fetch(path, wire) == CONTENT
    assert wire.asked[:1] == ([there] if there < len(CONTENT) else [])
    assert wire.asked == sorted(wire.asked)


def test_what_never_comes_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError):
        fetch(tmp_path / "a", Wire([0] * 9))
    with pytest.raises(HubError, match="ends after 200 of 300"):
        fetch(tmp_path / "b", Wire([]), size=300)
    with pytest.raises(HubError, match="more than the 100 bytes"):
        fetch(tmp_path / "c", Wire([]), size=100)
    too_long = tmp_path / "d"
    too_long.write_bytes(b"x" * 500)
    assert fetch(too_long, Wire([])) == CONTENT
