"""The real `huggingface_hub` client against the hub: what people do with a repository."""

import os
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, HfFileSystem
from huggingface_hub.errors import (
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from skillweave.server.hub.hub import HubOptions
from skillweave.server.hub.limits import HubLimits

from .running_hub import HubHost, RunningHub

README = "---\nlibrary_name: peft\nlicense: mit\nbase_model: x/y\ntags:\n- lora\n---\n# hello\n"


def fill(folder: Path) -> Path:
    """A folder with text, an empty file, a subfolder and bytes."""
    (folder / "skill" / "scripts").mkdir(parents=True)
    (folder / "README.md").write_text(README)
    (folder / "skill" / "SKILL.md").write_text("x")
    (folder / "skill" / "scripts" / "run.sh").write_text("#!/bin/sh\n")
    (folder / "empty").write_text("")
    (folder / "big.dat").write_bytes(os.urandom(300_000))
    return folder


def test_a_folder_goes_up_and_comes_down_the_same(api: HfApi, tmp_path: Path) -> None:
    source = fill(tmp_path / "up")
    api.create_repo("ada/one")
    assert str(api.create_repo("ada/one", exist_ok=True)).endswith("/ada/one")
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_repo("ada/one")
    commit = api.upload_folder(repo_id="ada/one", folder_path=source)
    files = sorted(p.relative_to(source).as_posix() for p in source.rglob("*") if p.is_file())
    assert sorted(api.list_repo_files("ada/one")) == files
    snapshot = Path(api.snapshot_download("ada/one"))
    assert snapshot.name == commit.oid
    for name in files:
        assert (snapshot / name).read_bytes() == (source / name).read_bytes()
    only = Path(
        api.snapshot_download("ada/one", allow_patterns="skill/*", local_dir=tmp_path / "d")
    )
    assert sorted(p.name for p in only.rglob("*") if ".cache" not in p.parts and p.is_file()) == [
        "SKILL.md",
        "run.sh",
    ]
    again = api.upload_folder(repo_id="ada/one", folder_path=source)
    assert again.oid == commit.oid  # the client sees by the ids that nothing has changed
    verified = api.verify_repo_checksums("ada/one", local_dir=source)
    assert verified.checked_count == len(files)
    assert not verified.mismatches


def test_what_is_listed_and_found(api: HfApi, tmp_path: Path) -> None:
    for name in ("ada/one", "ada/two", "team-x/three"):
        api.create_repo(name)
    api.upload_folder(repo_id="ada/two", folder_path=fill(tmp_path / "up"))
    assert [m.id for m in api.list_models()] == ["ada/one", "ada/two", "team-x/three"]
    assert [m.id for m in api.list_models(author="team-x")] == ["team-x/three"]
    assert [m.id for m in api.list_models(search="TW")] == ["ada/two"]
    assert [m.id for m in api.list_models(filter=["lora", "license:mit"])] == ["ada/two"]
    assert [m.id for m in api.list_models(filter="base_model:x/y")] == ["ada/two"]
    assert list(api.list_models(filter="gguf")) == []
    info = api.model_info("ada/two", files_metadata=True)
    sizes = {s.rfilename: s.size for s in info.siblings or ()}
    assert sizes["big.dat"] == 300_000
    assert sizes["empty"] == 0
    assert (info.private, info.library_name, info.card_data.license) == (True, "peft", "mit")
    paths = {
        p.path: type(p).__name__ for p in api.get_paths_info("ada/two", ["skill", "empty", "x"])
    }
    assert paths == {"skill": "RepoFolder", "empty": "RepoFile"}
    system = HfFileSystem(endpoint=api.endpoint, token=api.token, skip_instance_cache=True)
    assert system.ls("ada/two/skill", detail=False) == [
        "ada/two/skill/SKILL.md",
        "ada/two/skill/scripts",
    ]


def test_a_long_listing_comes_in_pages(tmp_path: Path, host: HubHost) -> None:
    with host.serve(tmp_path / "hub", HubOptions(limits=HubLimits(page=3))) as site:
        api = HfApi(endpoint=site.url, token=site.token())
        adds = [CommitOperationAdd(f"d/{n}.txt", b"x%d" % n) for n in range(7)]
        api.create_repo("ada/many")
        api.create_commit("ada/many", adds, commit_message="seven")
        assert len(api.list_repo_files("ada/many")) == 7
        for n in range(6):
            api.create_repo(f"ada/r{n}")
        assert len(list(api.list_models())) == 7
        assert len(list(api.list_models(limit=2))) == 2


def test_revisions_branches_and_tags(api: HfApi) -> None:
    api.create_repo("ada/one")
    first = api.upload_file(path_or_fileobj=b"1", path_in_repo="n.txt", repo_id="ada/one")
    api.create_tag("ada/one", tag="v1", tag_message="the first")
    api.create_tag("ada/one", tag="v1", exist_ok=True)
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_tag("ada/one", tag="v1")
    api.create_branch("ada/one", branch="feat/x", revision="v1")
    api.upload_file(
        path_or_fileobj=b"2", path_in_repo="n.txt", repo_id="ada/one", revision="feat/x"
    )

    def read(revision: str) -> str:
        return Path(api.hf_hub_download("ada/one", "n.txt", revision=revision)).read_text()

    assert (read("main"), read("v1"), read("feat/x"), read(first.oid)) == ("1", "1", "2", "1")
    refs = api.list_repo_refs("ada/one")
    assert sorted(b.ref for b in refs.branches) == ["refs/heads/feat/x", "refs/heads/main"]
    assert [(t.name, t.target_commit) for t in refs.tags] == [("v1", first.oid)]
    titles = [c.title for c in api.list_repo_commits("ada/one")]
    assert titles == ["Upload n.txt with huggingface_hub", "initial commit"]
    api.delete_tag("ada/one", tag="v1")
    api.delete_branch("ada/one", branch="feat/x")
    for gone in ("v1", "feat/x", "0" * 40, "../main", "main/../main"):
        with pytest.raises(RevisionNotFoundError):
            api.model_info("ada/one", revision=gone)
    with pytest.raises(HfHubHTTPError, match="403"):
        api.delete_branch("ada/one", branch="main")


def test_deleting_moving_and_showing(api: HfApi, site: RunningHub, tmp_path: Path) -> None:
    api.create_repo("ada/one")
    api.upload_folder(repo_id="ada/one", folder_path=fill(tmp_path / "up"))
    api.delete_file("empty", "ada/one")
    api.delete_folder("skill", "ada/one")
    assert sorted(api.list_repo_files("ada/one")) == ["README.md", "big.dat"]
    with pytest.raises(HfHubHTTPError, match="A file with this name doesn't exist"):
        api.delete_file("empty", "ada/one")
    with pytest.raises(RemoteEntryNotFoundError):
        api.hf_hub_download("ada/one", "empty")
    api.update_repo_settings("ada/one", private=False)
    other = HfApi(endpoint=site.url, token=site.token("bob", write=False))
    assert other.model_info("ada/one").private is False
    api.move_repo("ada/one", "team-x/one")
    assert not api.repo_exists("ada/one")
    api.delete_repo("team-x/one")
    api.delete_repo("team-x/one", missing_ok=True)
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("team-x/one")
    assert not list((site.hub.root / "repos").rglob("blobs"))


def test_of_two_commits_on_one_parent_the_second_is_told(api: HfApi) -> None:
    api.create_repo("ada/one")
    head = api.model_info("ada/one").sha
    api.upload_file(path_or_fileobj=b"1", path_in_repo="a", repo_id="ada/one", parent_commit=head)
    with pytest.raises(HfHubHTTPError, match="412") as told:
        api.upload_file(
            path_or_fileobj=b"2", path_in_repo="a", repo_id="ada/one", parent_commit=head
        )
    assert "A commit has happened since" in str(told.value)
    assert Path(api.hf_hub_download("ada/one", "a")).read_text() == "1"
