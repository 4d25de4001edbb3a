"""Push and pull with the real client against our own hub."""

import json
import os
from pathlib import Path

import pytest
from huggingface_hub import HfApi, constants
from skillweave.adapters.artifact import read_card
from skillweave.adapters.base.identity import BaseIdentity
from skillweave.adapters.card import Card
from skillweave.adapters.errors import AdapterRefused, Conflict, HubError, NotFound, UsageError
from skillweave.adapters.hub.files import RemoteFile, files_to_pull, stage
from skillweave.adapters.hub.push import Where, licence_for, plan_push, pull, push, put_tags
from skillweave.adapters.licences import Source
from skillweave.adapters.limits import Limits
from skillweave.adapters.store.store import Store
from skillweave.adapters.store.types import Version
from skillweave.server.hub.hub import HubOptions

from ...server.hub.running_hub import HubHost, RunningHub

EVIDENCE = {"form": "adapter", "means": {"s2l": 1.0}, "n": 40, "split": "dev"}


@pytest.fixture
def where(site: RunningHub) -> Where:
    return Where(site.url, site.token("ada"))


@pytest.fixture
def api(where: Where) -> HfApi:
    return HfApi(endpoint=where.endpoint, token=where.token)


@pytest.fixture
def version(
    store: Store, adapter_dir: Path, card: Card, base: BaseIdentity, skill_dir: Path
) -> Version:
    return store.put(adapter_dir, card=card, name="sql", base=base, skill_dir=skill_dir)


@pytest.fixture
def other(tmp_path: Path) -> Store:
    """Another machine's store."""
    return Store(tmp_path / "other-store")


def snapshot(store: Store) -> dict[str, bytes]:
    """Every file of a store that says something."""
    files = (p for p in store.root.rglob("*") if p.is_file() and "lock" not in p.name)
    return {str(p.relative_to(store.root)): p.read_bytes() for p in files}


def test_there_and_back_keeps_both_digests(
    version: Version, other: Store, base: BaseIdentity, where: Where, api: HfApi
) -> None:
    done = push(version, "ada/sql", tags=["v1"], where=where, evidence=[EVIDENCE])
    assert api.model_info("ada/sql").private
    assert api.model_info("ada/sql", revision="v1").sha == done.commit
    for path in ("adapter_config.json", "adapter_model.safetensors", "card.json"):
        got = Path(api.hf_hub_download("ada/sql", path)).read_bytes()
        assert got == (version.path / path).read_bytes()
    found = pull("ada/sql", revision="v1", store=other, base=base, where=where)
    assert (found.version_digest, found.weights_digest) == (
        version.version_digest,
        version.weights_digest,
    )
    assert found.ref == "sql@1"
    assert os.access(found.path / "skill" / "scripts" / "run.sh", os.X_OK)
    assert other.fsck() == []
    imported, provenance = other.attestations(found.version_digest)
    source = {"repo": "ada/sql", "commit": done.commit, "endpoint": where.endpoint}
    assert imported == {"type": "imported", "from": source, "evidence": EVIDENCE}
    assert {**provenance, "pulled_at": ""} == {"type": "provenance", **source, "pulled_at": ""}
    again = pull("ada/sql", revision=done.commit, store=other, where=where)  # the base is known now
    assert again == found
    assert len(other.attestations(found.version_digest)) == 2
    trusted = Store(other.root.with_name("third"))
    pull("ada/sql", store=trusted, base=base, trust_evidence=True, where=where)
    assert EVIDENCE in trusted.attestations(found.version_digest)


def test_what_a_push_would_do_is_shown_and_nothing_is_sent(
    version: Version, site: RunningHub, where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_push(version, "ada/sql", where=where, licence="mit")
    assert (plan.exists, plan.head, plan.private, plan.licence) == (False, None, True, "mit")
    assert {f.path: f.change for f in plan.files} == dict.fromkeys(
        [
            "README.md",
            "adapter_config.json",
            "adapter_model.safetensors",
            "card.json",
            "skill/SKILL.md",
            "skill/scripts/run.sh",
            "skillweave.json",
        ],
        "new",
    )
    weights = version.path / "adapter_model.safetensors"
    assert next(f.size for f in plan.files if f.path == weights.name) == weights.stat().st_size
    assert not (site.hub.root / "repos").exists()
    push(version, "ada/sql", where=where, licence="mit")
    assert plan_push(version, "ada/sql", where=where, licence="mit").sent_bytes == 0
    changed = plan_push(version, "ada/sql", where=where, evidence=[EVIDENCE], licence="mit")
    assert {f.path: f.change for f in changed.files if f.change != "same"} == {
        "README.md": "changed",
        "attestations/1.json": "new",
    }
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    offline = plan_push(version, "ada/sql", where=where)
    assert offline.exists is None
    assert {f.change for f in offline.files} == {"unknown"}


def test_a_second_version_replaces_all_of_the_first(
    store: Store,
    version: Version,
    card: Card,
    base: BaseIdentity,
    where: Where,
    api: HfApi,
    other: Store,
) -> None:
    first = push(version, "ada/sql", where=where, evidence=[EVIDENCE])
    assert push(version, "ada/sql", where=where, evidence=[EVIDENCE]).commit == first.commit
    api.upload_file(path_or_fileobj=b"mine", path_in_repo="NOTES.md", repo_id="ada/sql")
    bare = version.path.parent.parent / "bare"
    bare.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (bare / name).write_bytes((version.path / name).read_bytes())
    second = store.put(bare, card=card.model_copy(update={"seed": 2}), name="sql", base=base)
    push(second, "ada/sql", where=where)
    assert sorted(api.list_repo_files("ada/sql")) == [
        "NOTES.md",
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "card.json",
        "skillweave.json",
    ]
    assert (
        pull("ada/sql", store=other, base=base, where=where).version_digest == second.version_digest
    )
    old = pull("ada/sql", revision=first.commit, store=other, where=where)
    assert old.version_digest == version.version_digest


def test_public_needs_a_licence_and_nothing_changes_who_sees_it(
    version: Version, where: Where, api: HfApi, site: RunningHub
) -> None:
    with pytest.raises(UsageError, match="needs a licence"):
        push(version, "ada/sql", private=False, where=where)
    assert not api.repo_exists("ada/sql")
    api.create_repo("ada/closed")
    with pytest.raises(Conflict, match="exists and is private"):
        push(version, "ada/closed", private=False, licence="mit", where=where)
    push(version, "ada/open", private=False, licence="mit", where=where)
    assert api.model_info("ada/open").private is False
    assert api.model_info("ada/open").card_data.license == "mit"
    with pytest.raises(Conflict, match="is public: say --public"):
        push(version, "ada/open", where=where)


def test_licence_for_says_what_to_state() -> None:
    parts = [Source("skill", "mit"), Source("base", None)]
    assert licence_for(parts, private=True) is None
    with pytest.raises(UsageError, match="--base-licence"):
        licence_for(parts, private=False)
    assert licence_for([Source("skill", "mit")], private=False) == "mit"


@pytest.mark.parametrize(
    ("file", "content", "code"),
    [
        ("adapter_config.json", b"{", "bad_config"),
        ("adapter_model.safetensors", b"\x80\x04.", "bad_header"),
        ("card.json", b"{}", "bad_card"),
        ("skill/SKILL.md", b"changed", "digest_mismatch"),
        ("skillweave.json", b"[]", "bad_manifest"),
    ],
)
def test_a_spoiled_adapter_leaves_the_store_as_it_was(
    version: Version,
    base: BaseIdentity,
    tmp_path: Path,
    host: HubHost,
    file: str,
    content: bytes,
    code: str,
) -> None:
    with host.serve(tmp_path / "open-hub", HubOptions(gate=False)) as site:
        where = Where(site.url, site.token("ada"))
        push(version, "ada/sql", where=where)
        api = HfApi(endpoint=where.endpoint, token=where.token)
        api.upload_file(path_or_fileobj=content, path_in_repo=file, repo_id="ada/sql")
        store = Store(tmp_path / "fresh")
        before = snapshot(store)
        with pytest.raises(AdapterRefused) as told:
            pull("ada/sql", store=store, base=base, where=where)
        assert code in {problem.code for problem in told.value.problems}
        assert snapshot(store) == before
        assert list((Path(os.environ["SKILLWEAVE_HOME"]) / "cache").glob("pull-*")) == []


def test_a_plain_peft_folder_gets_a_card(
    adapter_dir: Path, other: Store, base: BaseIdentity, where: Where, api: HfApi
) -> None:
    api.create_repo("ada/Plain_One")
    api.upload_folder(repo_id="ada/Plain_One", folder_path=adapter_dir)
    with pytest.raises(UsageError, match="--base"):
        pull("ada/Plain_One", store=other, where=where)
    found = pull("ada/Plain_One", store=other, base=base, base_name="tiny", where=where)
    assert found.ref == "plain-one@1"
    assert (found.card.base.asserted, found.card.licence) == (True, None)
    assert found.card == read_card(found.path)


def test_offline_means_the_cache_and_nothing_else(
    version: Version,
    other: Store,
    base: BaseIdentity,
    where: Where,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    push(version, "ada/sql", where=where)
    pull("ada/sql", store=other, base=base, where=where)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    fresh = Store(other.root.with_name("fresh"))
    found = pull("ada/sql", store=fresh, base=base, where=where)
    assert found.version_digest == version.version_digest
    for absent in ("ada/other", "ada/sql@x"):
        repo, _, revision = absent.partition("@")
        with pytest.raises(NotFound, match="HF_HUB_OFFLINE=1"):
            pull(repo, revision=revision or None, store=fresh, base=base, where=where)
    with pytest.raises(UsageError, match="HF_HUB_OFFLINE=1"):
        push(version, "ada/sql", where=where)


def test_what_the_hub_says_is_told(
    version: Version, other: Store, base: BaseIdentity, site: RunningHub, where: Where
) -> None:
    with pytest.raises(NotFound, match="has no such repository, or your token"):
        pull("ada/absent", store=other, base=base, where=where)
    with pytest.raises(HubError, match="may only read"):
        push(version, "ada/sql", where=Where(site.url, site.token("bob", write=False)))
    with pytest.raises(HubError, match="Invalid credentials"):
        push(version, "ada/sql", where=Where(site.url, "hf_wrong"))
    with pytest.raises(UsageError, match="Repo id must be"):
        pull("../../etc", name="etc", store=other, base=base, where=where)
    push(version, "ada/sql", tags=["v1"], where=where)
    with pytest.raises(NotFound, match="v9"):
        pull("ada/sql", revision="v9", store=other, base=base, where=where)
    with pytest.raises(Conflict, match="never moved"):
        push(version, "ada/sql", message="again", evidence=[EVIDENCE], tags=["v1"], where=where)


def test_names_are_looked_at_before_anything_is_made(
    version: Version, where: Where, api: HfApi
) -> None:
    bad = ("", "a b", "../x", "x.lock", "a//b", "-x", "0" * 40, "v1.", "a/.b", "x" * 100)
    for name in bad:
        with pytest.raises(UsageError, match="cannot name a branch or a tag"):
            push(version, "ada/sql", tags=["good", name], where=where)
        with pytest.raises(UsageError, match="cannot name a branch or a tag"):
            push(version, "ada/sql", branch=name, where=where)
    assert not api.repo_exists("ada/sql")


def test_a_tag_that_is_taken_is_said_before_anything_is_made(
    version: Version, where: Where, api: HfApi
) -> None:
    first = push(version, "ada/sql", tags=["v1"], where=where)
    assert push(version, "ada/sql", tags=["v1"], where=where) == first  # nothing to change
    for branch in ("main", "fresh"):
        with pytest.raises(Conflict, match=r"'v1' .* is on .* never moved"):
            push(version, "ada/sql", evidence=[EVIDENCE], branch=branch, tags=["v1"], where=where)
    refs = api.list_repo_refs("ada/sql")
    assert [(ref.name, ref.target_commit) for ref in refs.branches] == [("main", first.commit)]


def test_a_tag_that_fails_after_the_revision_is_told_as_that() -> None:
    class Taken:
        put: tuple[str, ...] = ()

        def tag(self, repo_id: str, tag: str, commit: str) -> None:
            if tag == "v1":
                raise Conflict("somebody was faster")
            self.put += (tag,)

    hub = Taken()
    with pytest.raises(Conflict, match="revision abc is published, the tag 'v1' is not: somebody"):
        put_tags(hub, "ada/sql", "abc", ["latest", "v1", "v2"])
    assert hub.put == ("latest",)


def test_sizes_are_judged_before_anything_is_fetched() -> None:
    def files(**sizes: int) -> list[RemoteFile]:
        names = {"config": "adapter_config.json", "weights": "adapter_model.safetensors"}
        found = {names.get(k, f"skill/{k}"): v for k, v in sizes.items()}
        return [RemoteFile(path, size, "0" * 40) for path, size in found.items()]

    limits = Limits(tensors_bytes=1_000, config_bytes=100, folder_bytes=1_200, files=3)

    def codes(found: list[RemoteFile]) -> set[str]:
        with pytest.raises(AdapterRefused) as told:
            files_to_pull(found, "x", limits)
        return {problem.code for problem in told.value.problems}

    assert [f.path for f in files_to_pull(files(config=100, weights=1_000), "x", limits)] == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    assert codes(files(config=101, weights=10)) == {"too_large"}
    assert codes(files(config=10, weights=1_001)) == {"too_large"}
    assert codes(files(config=100, weights=900, a=900)) == {"too_large"}
    assert codes(files(config=1, weights=1, a=1, b=1)) == {"too_many_files"}
    assert codes(files(config=1)) == {"missing_weights"}
    up = [*files(config=1, weights=1), RemoteFile("skill/../../x", 1, "0" * 40)]
    assert codes(up) == {"bad_name"}


def test_a_link_that_leads_out_of_the_cache_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    snapshot_dir = tmp_path / "cache" / "snapshots"
    snapshot_dir.mkdir(parents=True)
    (snapshot_dir / "adapter_config.json").symlink_to(secret)
    with pytest.raises(AdapterRefused, match="not in the cache"):
        stage(snapshot_dir, tmp_path / "out", inside=tmp_path / "cache", expected=[])
    assert not (tmp_path / "out" / "adapter_config.json").exists()


def test_the_manifest_says_what_was_pushed(version: Version, where: Where, api: HfApi) -> None:
    push(version, "ada/sql", where=where)
    manifest = json.loads(Path(api.hf_hub_download("ada/sql", "skillweave.json")).read_bytes())
    assert manifest["version_digest"] == version.version_digest
    assert manifest["executable"] == ["skill/scripts/run.sh"]
