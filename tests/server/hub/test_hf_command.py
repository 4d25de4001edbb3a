"""The real `hf` command as a process of its own, with nothing set but address and token."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from skillweave.server.hub.hub import HubOptions
from skillweave.server.hub.limits import HubLimits

from .conftest import make_adapter
from .running_hub import RunningHub, running_hub

pytestmark = pytest.mark.slow
HF = Path(sys.executable).with_name("hf")


@pytest.fixture
def env(site: RunningHub, tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "HF_HOME": str(tmp_path / "hf"),
        "HF_ENDPOINT": site.url,
        "HF_TOKEN": site.token("ada"),
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "NO_PROXY": "127.0.0.1",
    }


def hf(env: dict[str, str], *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(HF), *command], env=env, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_whole_life_of_a_repository(env: dict[str, str], tmp_path: Path) -> None:
    folder = make_adapter(tmp_path / "adapter")

    def ok(*command: str) -> str:
        done = hf(env, *command)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    assert "ada" in ok("auth", "whoami")
    ok("repos", "create", "ada/one")
    ok("upload", "ada/one", str(folder), ".")
    listed = json.loads(ok("models", "list", "--author", "ada", "--json"))
    assert [row["id"] for row in listed] == ["ada/one"]
    shown = json.loads(ok("models", "info", "ada/one", "--json"))
    assert {s["rfilename"] for s in shown["siblings"]} == {p.name for p in folder.iterdir()}
    ok("repos", "tag", "create", "ada/one", "v1")
    assert "v1" in ok("repos", "tag", "list", "ada/one")
    target = tmp_path / "down"
    ok("download", "ada/one", "--revision", "v1", "--local-dir", str(target))
    for path in folder.iterdir():
        assert (target / path.name).read_bytes() == path.read_bytes()
    ok("repos", "delete", "ada/one", "--yes")
    assert hf(env, "download", "ada/one").returncode != 0


def test_a_private_repository_needs_its_token(env: dict[str, str], site: RunningHub) -> None:
    assert hf(env, "repos", "create", "ada/secret", "--private").returncode == 0
    other = {**env, "HF_TOKEN": site.token("bob")}
    wrong = {**env, "HF_TOKEN": "hf_wrong"}
    nobody = {key: value for key, value in env.items() if key != "HF_TOKEN"}
    for someone in (other, wrong, nobody):
        assert hf(someone, "models", "info", "ada/secret").returncode != 0
    assert hf(env, "models", "info", "ada/secret").returncode == 0


def test_a_file_that_is_too_large_for_a_commit_says_what_to_set(
    env: dict[str, str], tmp_path: Path
) -> None:
    big = tmp_path / "big.dat"
    big.write_bytes(os.urandom(200_000))
    options = HubOptions(limits=HubLimits(regular_bytes=100_000))
    with running_hub(tmp_path / "small", options) as small:
        here = {**env, "HF_ENDPOINT": small.url, "HF_TOKEN": small.token("ada")}
        done = hf(here, "upload", "ada/one", str(big))
        assert done.returncode != 0
        assert "files above 100000 bytes need HF_HUB_DISABLE_XET=1" in done.stderr
        basic = {**here, "HF_HUB_DISABLE_XET": "1"}
        done = hf(basic, "upload", "ada/one", str(big))
        assert done.returncode == 0, done.stderr
        target = tmp_path / "down"
        assert hf(here, "download", "ada/one", "--local-dir", str(target)).returncode == 0
        assert (target / "big.dat").read_bytes() == big.read_bytes()
