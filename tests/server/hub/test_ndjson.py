"""The reader of commits: the same operations, however the network cuts the body into pieces."""

import base64
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.server.hub.blobs import Incoming
from skillweave.server.hub.errors import Refusal
from skillweave.server.hub.limits import HubLimits
from skillweave.server.hub.ndjson import AddFile, AddLarge, CommitReader, Delete
from skillweave.server.hub.usage import Usage

LIMITS = HubLimits(regular_bytes=1_000, line_bytes=500)
CONTENT = bytes(range(256))


def reader(folder: Path) -> CommitReader:
    usage = Usage(folder, 10**9)
    return CommitReader(lambda: Incoming(folder, limit=LIMITS.regular_bytes, usage=usage), LIMITS)


def body() -> bytes:
    text = base64.b64encode(CONTENT).decode()
    tricky = 'a"content": "b'
    lines = [
        {"key": "header", "value": {"summary": "s", "description": "d", "parentCommit": "0" * 40}},
        {"key": "file", "value": {"content": text, "path": "x", "encoding": "base64"}},
        {"key": "file", "value": {"path": tricky, "encoding": "base64", "content": ""}},
        {"key": "lfsFile", "value": {"path": "y", "algo": "sha256", "oid": "1" * 64, "size": 7}},
        {"key": "deletedFolder", "value": {"path": "z/"}},
    ]
    return b"\n".join(json.dumps(line).encode() for line in lines)


@settings(max_examples=60)
@given(cuts=st.lists(st.integers(0, 900), max_size=12))
def test_any_cut_gives_the_same(tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    folder = tmp_path_factory.mktemp("blobs")
    parser, whole = reader(folder), body()
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    for start, end in itertools.pairwise(edges):
        parser.feed(whole[start:end])
    header = parser.finish()
    assert (header.title, header.message, header.parent) == ("s", "d", "0" * 40)
    first, second, third, fourth = parser.operations
    assert isinstance(first, AddFile)
    assert first.received.path.read_bytes() == CONTENT
    assert isinstance(second, AddFile)
    assert (second.path, second.received.size) == ('a"content": "b', 0)
    assert third == AddLarge("y", "1" * 64, 7)
    assert fourth == Delete("z", folder=True)
    parser.discard()
    assert list(folder.iterdir()) == []


def test_memory_stays_at_a_line(tmp_path: Path) -> None:
    parser = reader(tmp_path)
    parser.feed(b'{"key":"header","value":{}}\n{"key":"file","value":{"content":"')
    for _ in range(4):
        parser.feed(b"A" * 300)
        assert len(parser._buffer) < 4
    with pytest.raises(Refusal, match="larger than 1000"):
        parser.feed(b"A" * 300)
    parser.discard()
    endless = reader(tmp_path)
    with pytest.raises(Refusal, match="more than 500 bytes"):
        endless.feed(b'{"key":' + b" " * 600)
