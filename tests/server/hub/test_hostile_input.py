"""Whatever a client sends, the fault is the client's: no answer is a 5xx."""

import json
from collections.abc import Iterator

import httpx
import pytest
from skillweave.server.hub.access import Caller

from .running_hub import HubHost

SHA = "0" * 64
BIG = "9" * 6_000
MODEL = "/api/models/ada/one"
GRANT = "size=1&expires=9999999999&repo=x"


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory, host: HubHost) -> Iterator[httpx.Client]:
    """Raw requests with a writing token; `ada/one` exists."""
    with host.serve(tmp_path_factory.mktemp("hub")) as site:
        headers = {"authorization": f"Bearer {site.token()}"}
        site.hub.create("ada", "one", private=True, caller=Caller(site.hub.tokens.all()[0]))
        with httpx.Client(base_url=site.url, headers=headers) as client:
            yield client


def readme(block: str) -> dict[str, object]:
    return {"content": f"---\n{block}\n---\n"}


def lines(**header: object) -> str:
    return json.dumps({"key": "header", "value": header}) + "\n"


HALF = "\ud800"
REQUESTS: tuple[tuple[str, str, object], ...] = (
    ("PUT", f"{MODEL}/content/{SHA}?{GRANT}&token={'a' * 5_000}&signature=x", ""),
    ("PUT", f"{MODEL}/content/{SHA}?{GRANT}&token=%C3%A9%C2%B2&signature=x", ""),
    ("PUT", f"{MODEL}/content/{SHA}?{GRANT}&token={'0' * 12}&signature=%C3%A9", ""),
    ("PUT", f"{MODEL}/content/{SHA}?size={BIG}&expires={BIG}&token=0&signature=x", ""),
    ("PUT", f"{MODEL}/content/%ff?{GRANT}", ""),
    ("POST", "/ada/one.git/info/lfs/objects/batch", {"operation": "upload", "objects": [1]}),
    ("POST", "/ada/one.git/info/lfs/objects/batch", {"operation": "upload", "objects": [[]]}),
    ("POST", "/ada/one.git/info/lfs/objects/batch", {"operation": "upload", "objects": {}}),
    ("POST", f"{MODEL}/preupload/main", {"files": [{"path": HALF, "size": 1}]}),
    ("POST", f"{MODEL}/preupload/{'x' * 3_000}", {"files": []}),
    ("POST", f"{MODEL}/paths-info/main", "&".join(["paths=a"] * 5_000)),
    ("POST", f"{MODEL}/paths-info/main", {"paths": [HALF, None, {}]}),
    ("GET", f"/api/models?limit={BIG}", ""),
    ("GET", f"/api/models?limit=1&after={'x' * 3_000}|&sort=surprise", ""),
    ("GET", "/api/models?direction=up", ""),
    ("GET", f"{MODEL}/tree/main?cursor=%00%ff", ""),
    ("GET", f"{MODEL}/commits/main?from=%00", ""),
    ("POST", f"{MODEL}/commit/main", lines(summary=HALF)),
    ("POST", f"{MODEL}/commit/main", lines(summary="x", description=HALF)),
    ("POST", f"{MODEL}/tag/main", {"tag": "v1", "message": HALF}),
    ("POST", f"{MODEL}/tag/main", {"tag": HALF}),
    ("POST", f"{MODEL}/branch/x", {"startingPoint": HALF}),
    ("POST", "/api/repos/create", {"name": HALF, "organization": "ada"}),
    ("POST", "/api/repos/create", {"name": "x", "type": HALF}),
    ("POST", "/api/repos/move", {"fromRepo": "ada/one", "toRepo": f"ada/{HALF}"}),
    ("POST", "/api/validate-yaml", {"content": HALF}),
    *(
        ("POST", "/api/validate-yaml", readme(block))
        for block in (
            f"a: 0x{'f' * 6_000}",
            f"0x{'f' * 6_000}: a",
            f"a: {BIG}",
            'a: !!int ""',
            "a: !!bool x",
            "a: !!timestamp x",
            "a: !!float x",
            "? [a]\n: b",
            "a: .nan",
            "a: 2024-13-45",
        )
    ),
)


@pytest.mark.parametrize("place", range(len(REQUESTS)))
def test_no_input_is_our_fault(wire: httpx.Client, place: int) -> None:
    method, url, body = REQUESTS[place]
    content = body if isinstance(body, str) else json.dumps(body)
    kind = "application/x-www-form-urlencoded" if isinstance(body, str) else "application/json"
    reply = wire.request(method, url, content=content, headers={"content-type": kind})
    assert reply.status_code < 500, reply.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", "["),
        ("host", "a b"),
        ("range", f"bytes={BIG}-{BIG}"),
        ("range", "bytes=x"),
        ("authorization", "Bearer \xe9"),
        ("content-type", "\xff"),
    ],
)
def test_no_header_is_our_fault(wire: httpx.Client, name: str, value: str) -> None:
    wire.post(f"{MODEL}/commit/main", content=lines(summary="x")).raise_for_status()
    for url in ("/ada/one/resolve/main/a", "/api/models", f"{MODEL}/paths-info/main"):
        reply = wire.get(url, headers={name: value.encode("latin-1")})
        assert reply.status_code < 500, reply.text
    body = {"name": "two", "organization": "ada"}
    reply = wire.post("/api/repos/create", json=body, headers={name: value.encode("latin-1")})
    assert reply.status_code < 500, reply.text
