"""The list of repositories: its order, its pages, where they lead, and what damage does to it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from skillweave.adapters.errors import StoreError
from skillweave.server.hub.access import Caller
from skillweave.server.hub.hub import Hub, HubOptions
from skillweave.server.hub.limits import HubLimits
from skillweave.server.hub.repo import Repo

from .running_hub import HubHost, RunningHub

NAMES = ("ada/a", "ada/b", "ada/c", "ada-x/d")


def make(hub: Hub, *names: str) -> list[Repo]:
    """Repositories that were changed in this order, the last one latest, and made in the other."""
    caller = Caller(hub.tokens.create("ada", write=True, namespaces=["ada*"]).token)
    made = []
    for place, name in enumerate(names):
        repo = hub.create(*name.split("/"), private=True, caller=caller)
        with repo.locked():
            when = f"2026-01-0{9 - place}T00:00:00.000Z"
            repo.write_facts(repo.facts().model_copy(update={"created_at": when}))
            head = repo.head()
            date = f"2026-02-0{place + 1}T00:00:00.000Z"
            later = repo.commit(head).model_copy(update={"parent": head, "date": date})
            repo.add_commit(later, "main")
        made.append(repo)
    return made


def pages(wire: httpx.Client, query: str) -> list[str]:
    """Follow the pages to the end; ids in the order in which they come."""
    found: list[str] = []
    at = f"/api/models?{query}"
    while at:
        reply = wire.get(at)
        found += [row["id"] for row in reply.raise_for_status().json()]
        at = reply.links.get("next", {}).get("url", "")
    return found


@pytest.fixture
def wire(site: RunningHub) -> Iterator[httpx.Client]:
    """Requests of somebody who reads everything here."""
    headers = {"authorization": f"Bearer {site.token('reader', namespaces='ada*')}"}
    with httpx.Client(base_url=site.url, headers=headers) as client:
        yield client


def test_the_order_holds_over_pages(site: RunningHub, wire: httpx.Client) -> None:
    make(site.hub, *NAMES)
    by_change = ["ada-x/d", "ada/c", "ada/b", "ada/a"]
    for limit in (1, 3):
        for query, expected in (
            ("", sorted(NAMES)),
            ("direction=-1", sorted(NAMES, reverse=True)),
            ("sort=lastModified", by_change),
            ("sort=lastModified&direction=-1", by_change),
            ("sort=lastModified&direction=1", by_change[::-1]),
            ("sort=createdAt", by_change[::-1]),
            ("sort=likes&direction=-1", sorted(NAMES)),
            ("author=ada&sort=lastModified", by_change[1:]),
        ):
            assert pages(wire, f"{query}&limit={limit}") == expected, (query, limit)


def test_an_order_that_is_none_is_refused(wire: httpx.Client) -> None:
    for query in ("sort=surprise", "direction=down", "direction="):
        reply = wire.get(f"/api/models?{query}")
        assert reply.status_code == 400, query
        assert "expected" in reply.json()["error"]


def test_links_carry_the_name_that_clients_use(tmp_path: Path, host: HubHost) -> None:
    outside = "https://hub.example/at"
    options = HubOptions(url=outside, limits=HubLimits(page=1))
    with host.serve(tmp_path / "hub", options) as site:
        make(site.hub, "ada/a", "ada/b")
        repo = site.hub.repo("ada/a", Caller(site.hub.tokens.all()[0]))
        with repo.locked():
            head = repo.head()
            repo.add_commit(repo.commit(head).model_copy(update={"parent": head}), "main")
        headers = {"authorization": f"Bearer {site.token('reader', namespaces='ada')}"}
        with httpx.Client(base_url=site.url, headers=headers) as wire:
            for path in ("/api/models?full=true", "/api/models/ada/a/commits/main?x=a%20b"):
                link = wire.get(path).links["next"]["url"]
                assert link.startswith(outside + path.partition("?")[0] + "?"), link
                assert link.count(path.partition("?")[2].replace("%20", "+")) == 1


def test_a_damaged_repository_is_passed_over(site: RunningHub, wire: httpx.Client) -> None:
    facts, head, _ = make(site.hub, "ada/a", "ada/b", "ada/c")
    facts.folder.facts.write_text("{")
    (head.folder.refs("heads") / "main.json").write_text("{")
    assert pages(wire, "") == pages(wire, "sort=lastModified") == ["ada/c"]
    assert site.hub.sweep(older_than_s=-1) == 0
    stranger = {"authorization": f"Bearer {site.token('bob')}"}
    assert wire.get("/api/models/ada/a", headers=stranger).status_code == 404
    reply = wire.get("/api/models/ada/a")
    assert reply.json() == {"error": "the hub's own files are damaged"}
    with pytest.raises(StoreError, match="is damaged"):
        facts.facts()
