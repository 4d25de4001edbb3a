"""What happens between a request's first step and its last: deleting, moving, filling up."""

import hashlib
import threading
from pathlib import Path

import pytest
from skillweave.server.hub.access import Caller, Grant
from skillweave.server.hub.commits import make_commit
from skillweave.server.hub.documents import Ref
from skillweave.server.hub.errors import Refusal
from skillweave.server.hub.hub import Hub, HubOptions
from skillweave.server.hub.limits import HubLimits
from skillweave.server.hub.ndjson import AddFile, Header, Operation
from skillweave.server.hub.repo import Repo
from skillweave.server.hub.serve import sweep_until

CONTENT = b"x" * 1000
REF = Ref(commit="0" * 40)


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return Hub(tmp_path / "hub")


@pytest.fixture
def ada(hub: Hub) -> Caller:
    return Caller(hub.tokens.create("ada", write=True).token)


def receive(repo: Repo, content: bytes = CONTENT) -> AddFile:
    incoming = repo.blobs.incoming(10_000)
    incoming.feed(content)
    return AddFile("a", incoming.finish())


def commit(hub: Hub, repo: Repo, *operations: Operation) -> str:
    header = Header("x", "", None)
    return make_commit(
        repo, "main", header=header, operations=operations, author="ada", options=hub.options
    )


@pytest.mark.parametrize("how", ["deleted", "moved", "made again"])
def test_a_repository_that_went_away_does_not_come_back(hub: Hub, ada: Caller, how: str) -> None:
    repo = hub.create("ada", "one", private=True, caller=ada)
    file = receive(repo)
    if how == "moved":
        hub.move("ada/one", "ada/two", ada)
    else:
        hub.delete("ada/one", ada)
    if how == "made again":
        hub.create("ada", "one", private=True, caller=ada)
    late = repo.folder.blobs
    with pytest.raises(Refusal) as told:
        commit(hub, repo, file)
    assert told.value.status == 404
    with pytest.raises(Refusal), repo.locked():
        repo.blobs.keep(file.received)
    with pytest.raises(Refusal):
        repo.add_ref("tags", "v1", REF)
    assert not late.exists()
    assert repo.folder.path.exists() is (how == "made again")


def test_a_move_lands_where_one_was_begun_and_never_finished(hub: Hub, ada: Caller) -> None:
    repo = hub.create("ada", "one", private=True, caller=ada)
    (hub.root / "repos" / "ada" / "two" / "commits").mkdir(parents=True)
    moved = hub.move("ada/one", "ada/two", ada)
    assert (moved.facts().id, moved.head()) == ("ada/two", hub.repo("ada/two", ada).head())
    hub.create("ada", "three", private=True, caller=ada)
    with pytest.raises(Refusal, match="ada/three exists already"):
        hub.move("ada/two", "ada/three", ada)
    assert not repo.folder.path.exists()


def test_a_signed_address_leads_to_one_repository_only(hub: Hub, ada: Caller) -> None:
    assert ada.token is not None
    repo = hub.create("ada", "one", private=True, caller=ada)
    hub.create("ada", "two", private=True, caller=ada)
    sha = hashlib.sha256(CONTENT).hexdigest()
    uid, late = repo.facts().uid, 9_999_999_999
    grant = Grant("ada/one", uid, sha, 1000, ada.token.id, late)
    signature = grant.sign(hub.signing_key)
    assert hub.granted(grant, signature).id == "ada/one"
    bad = [
        (Grant("ada/two", uid, sha, 1000, ada.token.id, late), signature),
        (Grant("ada/one", "0" * 24, sha, 1000, ada.token.id, late), signature),
        (grant, signature[:-1] + ("0" if signature[-1] != "0" else "1")),
        (past := Grant("ada/one", uid, sha, 1000, ada.token.id, 1), past.sign(hub.signing_key)),
    ]
    hub.delete("ada/one", ada)
    hub.create("ada", "one", private=True, caller=ada)
    bad.append((grant, signature))  # signed by us, for one that is no more
    said = set()
    for wrong, signed in bad:
        with pytest.raises(Refusal) as told:
            hub.granted(wrong, signed)
        said.add((told.value.status, told.value.message, told.value.code))
    assert said == {(403, "this upload address is not valid, or no longer; begin again", "")}


def test_what_a_refused_commit_brought_is_gone(hub: Hub, ada: Caller) -> None:
    repo = hub.create("ada", "one", private=True, caller=ada)
    file = receive(repo)
    with pytest.raises(Refusal, match="bad_weights_file"):
        commit(hub, repo, AddFile("x.bin", file.received))
    assert not repo.folder.blobs.exists()
    commit(hub, repo, file)
    assert [p.name for p in repo.folder.blobs.iterdir()] == [file.received.sha256]


def test_documents_count_towards_the_quota(tmp_path: Path) -> None:
    hub = Hub(tmp_path / "hub", HubOptions(limits=HubLimits(root_bytes=60_000)))
    ada = Caller(hub.tokens.create("ada", write=True).token)
    repo = hub.create("ada", "one", private=True, caller=ada)

    def write_tags() -> None:
        for n in range(100):
            repo.add_ref("tags", f"v{n}", REF)

    def write_commits() -> None:
        for n in range(100):
            with repo.locked():
                head = repo.head()
                note = {"message": "m" * 9_000, "title": str(n)}
                repo.add_commit(repo.commit(head).model_copy(update=note), "main")

    with pytest.raises(Refusal, match="the hub is full") as told:
        write_tags()
    assert told.value.status == 507
    with pytest.raises(Refusal, match="the hub is full"):
        write_commits()
    hub.delete("ada/one", ada)  # a full hub lets go


def test_sweeping_goes_on_after_a_failure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stop = threading.Event()

    class Failing(Hub):
        swept = 0

        def sweep(self, older_than_s: float = 0.0) -> int:
            self.swept += 1
            if self.swept == 3:
                stop.set()
            raise OSError("the disk is away")

    hub = Failing(tmp_path / "hub")
    sweep_until(stop, hub, every_s=0.0)
    assert hub.swept == 3
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 3
