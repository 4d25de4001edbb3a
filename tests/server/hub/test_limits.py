"""What strangers may try: names that lead out, bodies too large or untrue, spoiled adapters."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError
from skillweave.adapters.limits import MiB
from skillweave.server.hub.access import Caller
from skillweave.server.hub.hub import Hub, HubOptions
from skillweave.server.hub.limits import HubLimits

from .conftest import make_adapter
from .running_hub import HubHost, RunningHub

SMALL = HubLimits(
    file_bytes=40_000,
    regular_bytes=20_000,
    commit_bytes=200_000,
    commit_operations=5,
    tree_files=6,
    root_bytes=1 * MiB,
    json_bytes=10_000,
)


@pytest.fixture
def small(tmp_path: Path, host: HubHost) -> Iterator[RunningHub]:
    with host.serve(tmp_path / "small", HubOptions(limits=SMALL)) as site:
        yield site


@pytest.fixture
def wire(small: RunningHub) -> Iterator[httpx.Client]:
    """Raw requests with a writing token; `ada/one` exists."""
    token = small.token()
    HfApi(endpoint=small.url, token=token).create_repo("ada/one")
    with httpx.Client(base_url=small.url, headers={"authorization": f"Bearer {token}"}) as client:
        yield client


def commit(wire: httpx.Client, *lines: object, header: bool = True) -> httpx.Response:
    first = [{"key": "header", "value": {"summary": "x"}}] if header else []
    body = "".join(json.dumps(line) + "\n" for line in [*first, *lines])
    return wire.post("/api/models/ada/one/commit/main", content=body)


def add(path: object, content: str = "eHg=", **more: object) -> dict[str, object]:
    return {
        "key": "file",
        "value": {"content": content, "path": path, "encoding": "base64", **more},
    }


def outside(root: Path) -> set[str]:
    """Everything beside the hub's root."""
    return {p.name for p in root.parent.iterdir()}


BAD_PATHS: tuple[object, ...] = (
    *("../x", "a/../../x", "/etc/x", "a//b", ".", "a/./b", ".git/config", "a\\b", "a\nb", "a\0b"),
    *("x" * 256, "a/" * 600 + "b", "", None, 3, ["a"], "\ud800"),
)


def test_no_file_name_leads_out(wire: httpx.Client) -> None:
    for path in BAD_PATHS:
        assert commit(wire, add(path)).status_code == 400, path
    assert wire.get("/api/models/ada/one/tree/main").json() == []


def test_no_address_leads_out(small: RunningHub, wire: httpx.Client) -> None:
    before = outside(small.hub.root)
    ids = (
        "..%2Fx",
        "%2e%2e/%2e%2e",
        "ada/..%2f..%2ftokens",
        "ada/%00",
        "ada/one%2F..%2F..",
        "a/b%0d",
    )
    for name in ids:
        for route in ("/api/models/{}", "/api/models/{}/tree/main", "/{}/resolve/main/repo.json"):
            assert wire.get(route.format(name)).status_code in {400, 404}, (name, route)
    for revision in ("..%2F..%2Frepo", "%2e%2e", "main%2F..%2Fmain", "%00", "a" * 300, "%ff"):
        assert wire.get(f"/api/models/ada/one/revision/{revision}").status_code == 404
        assert wire.get(f"/ada/one/resolve/{revision}/repo.json").status_code == 404
    for path in ("../repo.json", "%2e%2e/repo.json", "..%2f..%2f..%2ftokens", "%2Fetc%2Fpasswd"):
        assert wire.get(f"/ada/one/resolve/main/{path}").status_code == 404
    for name in ("../x", "a/../b", "x.lock", "/a", "a b", "0" * 40, "-x", ""):
        reply = wire.post("/api/models/ada/one/tag/main", json={"tag": name})
        assert reply.status_code == 400, name
    for body in (
        {"name": "../x"},
        {"name": "x", "organization": ".."},
        {"name": "a--b"},
        {"name": 3},
    ):
        assert wire.post("/api/repos/create", json=body).status_code == 400, body
    assert outside(small.hub.root) == before


BAD_COMMITS: tuple[tuple[list[object], int], ...] = (
    ([add("a", "not base64!")], 400),
    ([add("a", "eHg")], 400),
    ([add("a", encoding="utf-8")], 400),
    ([{"key": "file", "value": {"path": "a"}}], 400),
    ([{"key": "lfsFile", "value": {"path": "a", "oid": "../../x", "size": 1}}], 400),
    ([{"key": "lfsFile", "value": {"path": "a", "oid": "0" * 64, "size": 1}}], 400),
    ([{"key": "deletedFile", "value": {"path": "absent"}}], 404),
    ([{"key": "surprise", "value": {}}], 400),
    (["no object"], 400),
    ([{"key": "header", "value": {}}], 400),
    ([add("a"), add("a/b")], 400),
    ([add(f"f{n}") for n in range(6)], 413),
    ([add("a", "A" * 40_000)], 413),
    ([{"key": "lfsFile", "value": {"path": "a", "note": "x" * 70_000}}], 413),
    ([add("a", "A" * 19_996), add("b", "A" * 300_000)], 413),
)


def test_commits_that_are_refused_whole(small: RunningHub, wire: httpx.Client) -> None:
    for lines, status in BAD_COMMITS:
        reply = commit(wire, *lines)
        assert reply.status_code == status, reply.text
    assert wire.get("/api/models/ada/one/tree/main").json() == []
    assert not list(small.hub.root.rglob(".tmp-*"))


def test_a_body_that_is_no_commit(wire: httpx.Client) -> None:
    assert commit(wire, add("a"), header=False).status_code == 400
    half = b'{"key":"header","value":{}}\n{"key":"file","value":{"content":"eHh4'
    for body in (b"", b"{", b"[" * 50_000, half):
        reply = wire.post("/api/models/ada/one/commit/main", content=body)
        assert reply.status_code == 400, body[:40]
    deep = b"[" * 5_000
    assert wire.post("/api/repos/create", content=deep).status_code == 400
    assert wire.post("/api/repos/create", content=b"x" * 11_000).status_code == 413
    assert wire.post("/api/repos/create", content=b"[]").status_code == 400


def upload_href(wire: httpx.Client, content: bytes, **lie: object) -> str:
    said = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), **lie}
    body = {"operation": "upload", "transfers": ["basic"], "objects": [said]}
    reply = wire.post("/ada/one.git/info/lfs/objects/batch", json=body).json()
    return str(reply["objects"][0]["actions"]["upload"]["href"])


def test_an_upload_is_kept_only_if_it_is_what_was_announced(
    small: RunningHub, wire: httpx.Client
) -> None:
    content = os.urandom(30_000)
    good = upload_href(wire, content)
    refused = [
        (upload_href(wire, content, oid="0" * 64), content, 400),
        (good, content[:-1], 400),
        (good, content + b"x", 413),
        (good.replace("size=30000", "size=30001"), content + b"x", 403),
        (good.replace("ada/one", "ada/two"), content, 403),
        (good.partition("&signature=")[0], content, 403),
        (good.partition("?")[0], content, 403),
    ]
    for href, body, status in refused:
        assert httpx.put(href, content=body).status_code == status, href
    assert not list(small.hub.root.rglob("blobs/*"))
    assert httpx.put(good, content=content).status_code == 200
    sha256 = hashlib.sha256(content).hexdigest()
    line = {"key": "lfsFile", "value": {"path": "a", "oid": sha256, "size": 30_000}}
    assert commit(wire, line).status_code == 200
    assert wire.get("/ada/one/resolve/main/a").content == content
    small.hub.tokens.revoke("ada")
    assert httpx.put(good, content=content).status_code == 403


def test_knowing_a_digest_gives_nobody_the_file(small: RunningHub, wire: httpx.Client) -> None:
    content = os.urandom(25_000)
    sha256 = hashlib.sha256(content).hexdigest()
    httpx.put(upload_href(wire, content), content=content).raise_for_status()
    bob = HfApi(endpoint=small.url, token=small.token("bob"))
    bob.create_repo("bob/x")
    line = {"key": "lfsFile", "value": {"path": "a", "oid": sha256, "size": 25_000}}
    head = {"key": "header", "value": {"summary": "x"}}
    reply = httpx.post(
        f"{small.url}/api/models/bob/x/commit/main",
        content=f"{json.dumps(head)}\n{json.dumps(line)}\n",
        headers={"authorization": f"Bearer {bob.token}"},
    )
    assert reply.status_code == 400
    assert "was not uploaded" in reply.json()["error"]


def test_too_large_is_said_before_anything_is_sent(wire: httpx.Client) -> None:
    asked = {"files": [{"path": "a", "size": 50_000, "sample": ""}]}
    reply = wire.post("/api/models/ada/one/preupload/main", json=asked)
    assert reply.status_code == 413
    assert "this hub takes at most 40000" in reply.json()["error"]


def test_a_full_hub_takes_nothing_more(tmp_path: Path, host: HubHost) -> None:
    limits = HubLimits(root_bytes=100_000)
    with host.serve(tmp_path / "hub", HubOptions(limits=limits)) as site:
        api = HfApi(endpoint=site.url, token=site.token())
        api.create_repo("ada/one")
        api.upload_file(path_or_fileobj=os.urandom(90_000), path_in_repo="a", repo_id="ada/one")
        with pytest.raises(HfHubHTTPError, match="the hub is full"):
            api.upload_file(path_or_fileobj=os.urandom(20_000), path_in_repo="b", repo_id="ada/one")
        assert api.list_repo_files("ada/one") == ["a"]


def test_adapters_are_examined_when_they_come_in(api: HfApi, tmp_path: Path) -> None:
    sound = make_adapter(tmp_path / "sound")
    spoiled = make_adapter(tmp_path / "spoiled", scale=float("nan"))
    api.create_repo("ada/one")
    head = api.upload_folder(repo_id="ada/one", folder_path=sound).oid
    with pytest.raises(HfHubHTTPError, match="not_finite"):
        api.upload_folder(repo_id="ada/one", folder_path=spoiled)
    with pytest.raises(HfHubHTTPError, match="not_finite"):
        api.upload_folder(repo_id="ada/one", folder_path=spoiled, path_in_repo="checkpoint-1")
    for pickle in ("adapter_model.bin", "sub/x.PT"):
        with pytest.raises(HfHubHTTPError, match="bad_weights_file"):
            api.upload_file(path_or_fileobj=b"\x80", path_in_repo=pickle, repo_id="ada/one")
    api.upload_file(path_or_fileobj=b"x", path_in_repo="skill/data.bin", repo_id="ada/one")
    assert api.list_repo_commits("ada/one")[1].commit_id == head


def test_without_the_gate_files_are_only_files(tmp_path: Path, host: HubHost) -> None:
    with host.serve(tmp_path / "hub", HubOptions(gate=False)) as site:
        api = HfApi(endpoint=site.url, token=site.token())
        api.create_repo("ada/one")
        api.upload_file(path_or_fileobj=b"\x80", path_in_repo="x.bin", repo_id="ada/one")


def test_a_part_of_a_file_and_headers_that_keep_a_browser_out(api: HfApi) -> None:
    page = b"<script>alert(1)</script>"
    api.create_repo("ada/one")
    api.upload_file(path_or_fileobj=page, path_in_repo="a.html", repo_id="ada/one")
    url = f"{api.endpoint}/ada/one/resolve/main/a.html"
    auth = {"authorization": f"Bearer {api.token}"}
    whole = httpx.get(url, headers=auth)
    assert whole.content == page
    assert whole.headers["content-type"] == "application/octet-stream"
    assert whole.headers["content-disposition"] == "attachment"
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in whole.headers["content-security-policy"]
    part = httpx.get(url, headers={**auth, "range": "bytes=8-"})
    assert (part.status_code, part.content) == (206, page[8:])
    assert part.headers["content-range"] == f"bytes 8-{len(page) - 1}/{len(page)}"
    assert part.headers["etag"] == whole.headers["etag"]
    late = httpx.get(url, headers={**auth, "range": "bytes=999-"})
    assert late.status_code == 416
    head = httpx.head(url, headers=auth)
    assert head.headers["content-length"] == str(len(page))
    assert head.headers["x-repo-commit"] == api.model_info("ada/one").sha


def test_what_was_left_unfinished_is_freed(site: RunningHub, api: HfApi) -> None:
    api.create_repo("ada/one")
    blobs = site.hub.repo("ada/one", _caller(site.hub)).folder.blobs
    blobs.mkdir(exist_ok=True)
    (blobs / ".tmp-old").write_bytes(b"x")
    (site.hub.root / "incoming").mkdir()
    (site.hub.root / "incoming" / ".tmp-upload").write_bytes(b"x")
    (site.hub.root / "repos" / ".tmp-gone").mkdir()
    (site.hub.root / "repos" / "ada" / "begun" / "commits").mkdir(parents=True)  # no repo.json
    with pytest.raises(HfHubHTTPError, match="bad_weights_file"):
        api.upload_file(path_or_fileobj=b"refused", path_in_repo="x.bin", repo_id="ada/one")
    api.upload_file(path_or_fileobj=b"kept", path_in_repo="x", repo_id="ada/one")
    assert site.hub.sweep() == 0
    assert sorted(p.read_bytes() for p in blobs.iterdir()) == [b"kept", b"x"]  # never "refused"
    assert site.hub.sweep(older_than_s=-1) == 4
    assert [path.read_bytes() for path in blobs.iterdir()] == [b"kept"]
    assert not (site.hub.root / "repos" / "ada" / "begun").exists()
    assert not list(site.hub.root.rglob(".tmp-*"))


def _caller(hub: Hub) -> Caller:
    return Caller(hub.tokens.all()[0])
