"""`serve`: options, file and flags for vLLM become one configuration."""

from pathlib import Path

import pytest
import typer
from skillweave.adapters.errors import UsageError
from skillweave.distill.tiny_base import tiny_base_path
from skillweave.scripts.cli import main
from skillweave.scripts.commands import serve as module
from skillweave.server.config import ServeConfig

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[ServeConfig]:
    """What `run_serve` is called with, instead of serving."""
    seen: list[ServeConfig] = []
    monkeypatch.setattr(module, "run_serve", lambda config: seen.append(config) or 0)
    return seen


def test_the_shipped_base_is_the_default(asked: list[ServeConfig]) -> None:
    assert main(["serve"]) == 0
    assert asked == [ServeConfig(base=str(tiny_base_path()))]


def test_known_options_are_read_and_the_rest_goes_to_vllm(asked: list[ServeConfig]) -> None:
    line = (
        "serve --base b --port 0 --max-loras 3 --seed 7 --no-enable-prefix-caching --max-num-seqs=4"
    )
    assert main(line.split()) == 0
    assert asked[0].base == "b"
    assert asked[0].port == 0
    assert asked[0].lora_slots == 3
    assert asked[0].engine_args == ("--seed", "7", "--no-enable-prefix-caching", "--max-num-seqs=4")


def test_a_file_is_read_and_the_command_line_wins(asked: list[ServeConfig], tmp_path: Path) -> None:
    file = tmp_path / "serve.toml"
    file.write_text('base = "from-file"\nport = 1\nprefix_cache = false\n')
    assert main(["serve", "--config", str(file), "--port", "2"]) == 0
    assert (asked[0].base, asked[0].port, asked[0].prefix_cache) == ("from-file", 2, False)


def test_an_engine_elsewhere_needs_no_base(asked: list[ServeConfig]) -> None:
    assert main(["serve", "--engine", "http://127.0.0.1:1"]) == 0
    assert asked[0].base is None


def test_the_admin_key_comes_from_the_environment(
    asked: list[ServeConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKILLWEAVE_ADMIN_KEY", "a-key-from-outside")
    assert main(["serve"]) == 0
    assert asked[0].admin_key == "a-key-from-outside"


@pytest.mark.parametrize(
    ("text", "says"), [("prot = 1", "prot"), ("port = 'x'", "port"), ("port =", "TOML")]
)
def test_a_bad_file_is_named(
    asked: list[ServeConfig], tmp_path: Path, capsys: Capture, text: str, says: str
) -> None:
    file = tmp_path / "serve.toml"
    file.write_text(text)
    assert main(["serve", "--config", str(file)]) == 2
    assert says in capsys.readouterr().err
    assert asked == []


def test_a_missing_file_is_named() -> None:
    with pytest.raises(UsageError, match=r"no\.toml"):
        module.build_config(Path("no.toml"), {})


def test_the_verb_is_an_application() -> None:
    assert isinstance(module.serve, typer.Typer)


def test_what_would_be_served_is_printed_and_can_be_read_back(
    asked: list[ServeConfig], tmp_path: Path, capsys: Capture
) -> None:
    assert main(["serve", "--base", "b", "--access-log", "off", "--print-config"]) == 0
    assert asked == []
    file = tmp_path / "serve.toml"
    file.write_text(capsys.readouterr().out)
    assert main(["serve", "--config", str(file), "--log-level", "info"]) == 0
    assert asked == [ServeConfig(base="b", access_log="off", log_level="info")]


def test_a_check_says_what_would_be_started_and_starts_nothing(
    asked: list[ServeConfig], tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "serve.toml"
    file.write_text(f"engine = 'fake'\nstore = '{tmp_path}'\n")
    assert main(["serve", "--config", str(file), "--check"]) == 0
    assert "--enable-lora" in capsys.readouterr().out
    assert main(["serve", "--config", str(file), "--base", "./nowhere", "--check"]) == 2
    assert "no folder" in capsys.readouterr().err
    assert main(["serve", "--config", str(file), "--host", "0.0.0.0", "--check"]) == 2
    assert "--allow-anybody" in capsys.readouterr().err
    assert asked == []


def test_keys_of_the_environment_reach_what_they_are_for(
    asked: list[ServeConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKILLWEAVE_ENGINE_KEY", "of-an-engine")
    monkeypatch.setenv("SKILLWEAVE_METRICS_KEY", "for-the-metrics")
    assert main(["serve"]) == 0
    assert main(["serve", "--engine", "http://127.0.0.1:1"]) == 0
    assert [config.engine_key for config in asked] == [None, "of-an-engine"]
    assert asked[0].metrics_key == "for-the-metrics"
