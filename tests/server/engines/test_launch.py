"""Command line and environment of an engine, and what is refused before it starts."""

from pathlib import Path

import pytest
from skillweave.adapters.errors import EngineMissing, UsageError
from skillweave.server.config import ServeConfig
from skillweave.server.engines.facts import architecture, require_vllm, usable_cores
from skillweave.server.engines.flags import Facts
from skillweave.server.engines.launch import PLANS, Place, check_engine

FACTS = Facts(device="cpu", cores=2)


def test_the_secret_is_not_on_the_command_line(tmp_path: Path) -> None:
    place = Place(port=1234, secret="very-secret", tmp=tmp_path)
    launch = PLANS["vllm"](ServeConfig(base=str(tmp_path)), FACTS, place)
    assert "very-secret" not in " ".join(launch.command)
    assert launch.env["VLLM_API_KEY"] == "very-secret"
    assert launch.env["TMPDIR"] == str(tmp_path)


def test_vllm_binds_loopback_and_takes_foreign_flags_last(tmp_path: Path) -> None:
    config = ServeConfig(base="some/hub-id", engine_args=("--seed", "7"))
    launch = PLANS["vllm"](config, FACTS, Place(port=1234, secret="s", tmp=tmp_path))
    line = " ".join(launch.command)
    assert "--host 127.0.0.1 --port 1234" in line
    assert line.endswith("--seed 7")
    assert "HF_HUB_OFFLINE" not in {flag.name for flag in launch.variables}


def test_every_derived_flag_is_explained_and_used(tmp_path: Path) -> None:
    launch = PLANS["vllm"](
        ServeConfig(base=str(tmp_path)), FACTS, Place(port=1, secret="s", tmp=tmp_path)
    )
    explained = "\n".join(launch.explain())
    for flag in launch.flags:
        assert flag.name in launch.command
        assert f"{flag.name}" in explained
        assert flag.reason in explained


def test_a_missing_vllm_names_the_set_up(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match=r"make setup.*make setup-gpu.*--engine URL"):
        require_vllm([str(tmp_path)])


def test_an_installed_vllm_is_found_without_importing_it(tmp_path: Path) -> None:
    (tmp_path / "vllm").mkdir()
    (tmp_path / "vllm" / "__init__.py").write_text("raise SystemExit('imported')")
    require_vllm([str(tmp_path)])


@pytest.mark.parametrize("words", [("--port", "1"), ("--served_model_name=x",), ("--api-key=k",)])
def test_flags_of_the_supervisor_cannot_be_passed_on(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="`serve` sets it itself"):
        check_engine(ServeConfig(base="b", engine="fake", engine_args=words))


def test_cores_respect_the_container(tmp_path: Path) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text("100000 100000\n")
    assert usable_cores(quota) == 1
    quota.write_text("max 100000\n")
    assert usable_cores(quota) == usable_cores(tmp_path / "absent")


def test_architecture_of_a_base(base_dir: Path, tmp_path: Path) -> None:
    assert architecture(str(base_dir)) == "Qwen3ForCausalLM"
    assert architecture(str(tmp_path)) is None
