"""The container files, as far as they can be checked without a container engine: what they name
exists here, and what stands in several of them agrees.
"""

import json
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, cast

import pytest
import typer
import yaml
from skillweave.scripts.cli import VERBS, load
from skillweave.scripts.commands.serve import build_config
from skillweave.server.settings import SECRETS

KINDS = ("cpu", "gpu")


def instructions(repository: Path, kind: str) -> list[tuple[str, str]]:
    """(INSTRUCTION, arguments), with ARGs that have a default filled in."""
    text = (repository / "docker" / f"{kind}.Dockerfile").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    found = [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in joined.splitlines() if line]
    defaults = dict(rest.split("=", 1) for name, rest in found if name == "ARG" and "=" in rest)
    for name, value in defaults.items():
        found = [(word, rest.replace("${" + name + "}", value)) for word, rest in found]
    return found


def last_stage(found: list[tuple[str, str]]) -> dict[str, str]:
    """The instructions of the last stage; of several of a kind, the last."""
    start = max(place for place, (word, _) in enumerate(found) if word == "FROM")
    return dict(found[start:])


def compose(repository: Path) -> dict[str, Any]:
    return cast("dict[str, Any]", yaml.safe_load((repository / "docker/compose.yaml").read_text()))


def options_of(verb: str) -> set[str]:
    command = typer.main.get_command(load(verb))
    return {option for parameter in command.params for option in parameter.opts}


def assert_runs(words: list[str]) -> None:
    """A command line of ours: the verb exists, and so do its options."""
    verb, *rest = words
    assert verb in VERBS
    assert {word for word in rest if word.startswith("-")} <= options_of(verb)


@pytest.mark.parametrize("kind", KINDS)
def test_images_are_built_on_one_exact_version(repository: Path, kind: str) -> None:
    found = instructions(repository, kind)
    images = [rest.split()[0] for word, rest in found if word == "FROM"]
    assert len(images) == 2  # what builds is not shipped
    assert all(re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", image) for image in images)
    assert len(set(images)) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_copied_exists_and_is_not_ignored(repository: Path, kind: str) -> None:
    ignore = (repository / "docker" / f"{kind}.Dockerfile.dockerignore").read_text().splitlines()
    assert "*" in ignore
    allowed = {line[1:] for line in ignore if line.startswith("!")}
    copied = [rest for word, rest in instructions(repository, kind) if word == "COPY"]
    sources = [s for rest in copied if not rest.startswith("--from") for s in rest.split()[:-1]]
    assert sources
    for source in sources:
        assert (repository / source).exists(), source
        assert any(fnmatch(source, pattern) for pattern in allowed), source
    assert {s for s in allowed if (repository / s).is_dir()} == {
        *("adapters", "router", "distill", "server", "scripts"),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_shipped_runs_as_nobody_special_and_says_how_it_is(
    repository: Path, kind: str
) -> None:
    stage = last_stage(instructions(repository, kind))
    user, group = stage["USER"].split(":")
    assert int(user) >= 1000
    assert int(group) >= 1000
    assert f":{stage['EXPOSE']}/ready" in stage["HEALTHCHECK"]
    assert json.loads(stage["ENTRYPOINT"]) == ["skillweave"]  # no shell between: signals arrive
    assert_runs(json.loads(stage["CMD"]))


def test_the_steps_of_the_cpu_image_are_those_of_make_setup(repository: Path) -> None:
    runs = [rest for word, rest in instructions(repository, "cpu") if word == "RUN"]
    (torch,) = re.findall(r"^TORCH := (\S+)$", (repository / "Makefile").read_text(), re.M)
    assert f"pip install {torch}" in runs
    assert "pip install --no-deps -r requirements/cpu.lock" in runs
    assert any("skillweave.scripts.check_install" in run for run in runs)


def test_the_containers_and_their_configuration_agree(repository: Path) -> None:
    document = compose(repository)
    config = build_config(repository / "docker" / "serve.toml", {})
    exposed = last_stage(instructions(repository, "cpu"))["EXPOSE"]
    assert str(config.port) == exposed
    assert config.host == "0.0.0.0"
    for name, service in document["services"].items():
        assert_runs(service["command"])
        assert (repository / service["build"]["dockerfile"]).is_file()
        assert service["build"]["dockerfile"] == f"docker/{name}.Dockerfile"
        (port,) = service["ports"]
        assert port == f"127.0.0.1:{exposed}:{exposed}"  # beyond this machine: a proxy with TLS
        grace_s = float(service["stop_grace_period"].removesuffix("s"))
        assert grace_s > config.drain_s + config.stop_timeout_s + 10


def test_secrets_are_files_and_the_root_is_read_only(repository: Path) -> None:
    document = compose(repository)
    for service in document["services"].values():
        assert service["read_only"] is True
        assert any(mount.startswith("/tmp") for mount in service["tmpfs"])
        assert service["cap_drop"] == ["ALL"]
        assert {name.removesuffix("_FILE") for name in service["environment"]} <= set(SECRETS)
        assert all(name.endswith("_FILE") for name in service["environment"])
        held = {Path(path).name for path in service["environment"].values()}
        assert held == set(service["secrets"]) <= set(document["secrets"])
        for mount in service["volumes"]:
            source = mount.split(":")[0]
            known = source in document["volumes"] or (repository / "docker" / source).is_file()
            assert known, source
