"""A hub that is not believed: listings end, names lead nowhere, silence is told once."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from skillweave.adapters.errors import AdapterRefused, HubError
from skillweave.adapters.hub.client_listing import Bounds, list_files
from skillweave.adapters.hub.files import RemoteFile, belongs, files_to_pull
from skillweave.adapters.hub.push import Where, pull
from skillweave.adapters.store.store import Store

COMMIT = "a" * 40
Answer = Callable[[str], tuple[object, str | None]]
"""Path of a request -> JSON of the answer, and where the next page is said to be."""


class Liar:
    """A hub that answers every request as it is told, and counts them."""

    def __init__(self, answer: Answer) -> None:
        self.asked = 0
        liar = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                liar.asked += 1
                found, following = answer(self.path)
                body = found if isinstance(found, bytes) else json.dumps(found).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                if following is not None:
                    self.send_header("Link", f'<{following}>; rel="next"')
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def liar() -> Iterator[Callable[[Answer], Liar]]:
    made: list[Liar] = []

    def make(answer: Answer) -> Liar:
        made.append(Liar(answer))
        return made[-1]

    yield make
    for found in made:
        found.server.shutdown()
        found.server.server_close()


def listing(url: str, **bounds: int) -> list[RemoteFile]:
    return list_files(url, "ada/one", COMMIT, headers={}, bounds=Bounds(**bounds))


def entry(path: object = "a", **more: object) -> dict[str, object]:
    return {"type": "file", "path": path, "size": 1, "oid": "0" * 40, **more}


def test_a_listing_without_end_ends(liar: Callable[[Answer], Liar]) -> None:
    empty = liar(lambda path: ([], f"{empty.url}/next"))
    with pytest.raises(HubError, match="more than 12 pages"):
        listing(empty.url, pages=12)
    assert empty.asked == 12
    page = [entry(f"{n}") for n in range(4_000)]
    full = liar(lambda path: (page, f"{full.url}/next"))
    with pytest.raises(HubError, match="lists more than 10000 files"):
        listing(full.url)
    assert full.asked == 3
    large = liar(lambda path: (b" " * 2_000, None))
    with pytest.raises(HubError, match="more than 1000 bytes"):
        listing(large.url, page_bytes=1_000)


def test_a_listing_stays_on_its_hub(liar: Callable[[Answer], Liar]) -> None:
    other = liar(lambda path: ([], None))
    first = liar(lambda path: ([entry()], f"{other.url}/next"))
    with pytest.raises(HubError, match="goes on at"):
        listing(first.url)
    assert other.asked == 0  # the token was not sent there


@pytest.mark.parametrize(
    "answer",
    [
        b"{",
        {},
        [1],
        [{}],
        [entry(3)],
        [entry(size=-1)],
        [entry(size="1")],
        [entry(size=True)],
        [entry(oid=None)],
        [entry(oid="../../x")],
        [entry(lfs=["x"])],
        [entry(lfs="0" * 64)],
        [entry(lfs={"oid": "../../x"})],
    ],
)
def test_a_listing_has_the_types_of_one(liar: Callable[[Answer], Liar], answer: object) -> None:
    with pytest.raises(HubError, match="list of files"):
        listing(liar(lambda path: (answer, None)).url)


def test_a_listing_over_pages_is_whole(liar: Callable[[Answer], Liar]) -> None:
    def answer(path: str) -> tuple[object, str | None]:
        if path.endswith("/next"):
            return [entry("b", lfs={"oid": "1" * 64, "size": 1}, xetHash="../x")], None
        return [entry("a"), {"type": "directory", "path": "d"}], f"{hub.url}/next"

    hub = liar(answer)
    assert listing(hub.url) == [
        RemoteFile("a", 1, "0" * 40),
        RemoteFile("b", 1, "0" * 40, "1" * 64),
    ]


ODD = ("skill/", "skill//x", "skill/../x", "skill/./x", "skill/\0", "skill/a\\b", "skill/\ud800")


@pytest.mark.parametrize("path", [*ODD, "skill/" + "x" * 256, "attestations/../x.json"])
def test_odd_names_are_refused_before_use(path: str) -> None:
    sound = [
        RemoteFile(n, 1, "0" * 40) for n in ("adapter_config.json", "adapter_model.safetensors")
    ]
    with pytest.raises(AdapterRefused) as told:
        files_to_pull([*sound, RemoteFile(path, 1, "0" * 40)], "x")
    assert {problem.code for problem in told.value.problems} == {"bad_name"}
    beside = [RemoteFile(n, 1, "0" * 40) for n in ("", "/", "skill", "../x", "\0")]
    assert files_to_pull([*sound, *beside], "x") == sound  # never asked for, so never refused
    assert not any(belongs(file.path) for file in beside)
    with pytest.raises(AdapterRefused, match="listed once"):
        files_to_pull([*sound, sound[0]], "x")


def test_a_revision_that_is_none_goes_nowhere(
    liar: Callable[[Answer], Liar], tmp_path: Path
) -> None:
    hub = liar(lambda path: ({"id": "ada/one", "sha": "../../../x"}, None))
    with pytest.raises(HubError, match="as a revision of ada/one"):
        pull("ada/one", store=Store(tmp_path / "store"), where=Where(hub.url, "swh_x"))


def test_a_hub_that_is_down_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as probe:  # bound and not listening: refused at once
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        with caplog.at_level(logging.WARNING), pytest.raises(HubError) as told:
            pull("ada/one", store=Store(tmp_path / "store"), where=Where(url, "swh_x"))
    text = str(told.value)
    assert text.startswith(f"pulling ada/one: {url} cannot be reached (ConnectError")
    assert text.endswith("then repeat: what was fetched is kept")
    assert "sent" not in text
    assert len(text) < 300
    assert caplog.records == []
