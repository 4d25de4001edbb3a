"""Writers at the same time, in several threads and two hubs on one root: nothing is lost."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from huggingface_hub import HfApi

from .running_hub import running_hub

pytestmark = pytest.mark.slow
WRITERS = 6


def test_all_of_many_commits_land_and_follow_each_other(tmp_path: Path) -> None:
    root = tmp_path / "hub"
    with running_hub(root) as one, running_hub(root) as two:
        token = one.token()
        api = HfApi(endpoint=one.url, token=token)
        api.create_repo("ada/one")

        def write(n: int) -> str:
            url = (one, two)[n % 2].url
            here = HfApi(endpoint=url, token=token)
            return here.upload_file(
                path_or_fileobj=b"%d" % n, path_in_repo=f"{n}.txt", repo_id="ada/one"
            ).oid

        with ThreadPoolExecutor(WRITERS) as pool:
            made = set(pool.map(write, range(WRITERS)))
        assert sorted(api.list_repo_files("ada/one")) == [f"{n}.txt" for n in range(WRITERS)]
        history = [commit.commit_id for commit in api.list_repo_commits("ada/one")]
        assert len(history) == WRITERS + 1
        assert set(history[:-1]) == made


def test_of_many_who_expect_the_same_head_one_succeeds(tmp_path: Path) -> None:
    root = tmp_path / "hub"
    with running_hub(root) as one, running_hub(root) as two:
        token = one.token()
        api = HfApi(endpoint=one.url, token=token)
        api.create_repo("ada/one")
        head = api.model_info("ada/one").sha

        def write(n: int) -> int:
            file = {"content": "eA==", "path": str(n), "encoding": "base64"}
            lines = [
                {"key": "header", "value": {"summary": "s", "parentCommit": head}},
                {"key": "file", "value": file},
            ]
            return httpx.post(
                f"{(one, two)[n % 2].url}/api/models/ada/one/commit/main",
                content="\n".join(map(json.dumps, lines)),
                headers={"authorization": f"Bearer {token}"},
            ).status_code

        with ThreadPoolExecutor(WRITERS) as pool:
            answers = sorted(pool.map(write, range(WRITERS)))
        assert answers == [200] + [412] * (WRITERS - 1)
        assert len(api.list_repo_files("ada/one")) == 1
