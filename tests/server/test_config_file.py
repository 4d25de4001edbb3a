"""Configurations as text: what is written is read back, and faults are told with their place."""

import tomllib
from pathlib import Path

import pytest
from skillweave.adapters.errors import UsageError
from skillweave.server.config import ServeConfig
from skillweave.server.config_file import make_config, read_toml, readable_secrets, to_toml


@pytest.mark.parametrize(
    "fields",
    [
        {"base": "b"},
        {
            "base": 'a "base" of Zoë\\n',
            "store": Path("/some/store"),
            "port": 0,
            "engine_args": ("--seed", "7", '--x={"a": 1}'),
            "prefix_cache": False,
            "drain_s": 2.5,
            "limits": {"n": 3, "max_tokens": 5},
            "admission": {},
            "admin_networks": ("10.0.0.0/8", "::1/128"),
        },
    ],
)
def test_what_is_written_is_read_back(fields: dict[str, object]) -> None:
    config = ServeConfig.model_validate(fields)
    assert ServeConfig.model_validate(tomllib.loads(to_toml(config))) == config


def test_keys_are_not_written() -> None:
    config = ServeConfig(base="b", admin_key="secret-admin", metrics_key="secret-metrics")
    text = to_toml(config)
    assert "secret" not in text
    assert "# admin_key is set" in text
    assert "# engine_key is not set" in text


def test_every_field_stands_there_with_its_meaning() -> None:
    text = to_toml(ServeConfig(base="b"))
    for name, field in ServeConfig.model_fields.items():
        assert field.description, name
        assert f"\n{name} =" in f"\n{text}" or f"# {name} " in text or f"[{name}]" in text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("base = 'b'\nprot = 1", r"serve\.toml: prot: there is no such field; did you mean 'port'"),
        ("base = 'b'\nport = 'x'", r"serve\.toml: port: .*\(it is 'x'\)"),
        ("base = 'b'\n[limits]\nm = 3", r"serve\.toml: limits\.m: there is no such field"),
        ("base = 'b'\n[limits]\nn = 0", r"serve\.toml: limits\.n: .*1 \(it is 0\)"),
        ("base = 'b'\nadmin_key = 'short'", r"serve\.toml: admin_key: [^(]*$"),
        ("engine_key = 'k'\nbase = 'b'", r"^serve: engine_key without engine_url"),
    ],
)
def test_a_fault_is_told_with_file_and_field(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "serve.toml"
    file.write_text(text)
    said = read_toml(file)
    with pytest.raises(UsageError, match=says):
        make_config(said, file=file, from_file=said)


def test_a_fault_of_the_command_line_does_not_blame_the_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^port: "):
        make_config({"base": "b", "port": -1}, file=tmp_path / "serve.toml", from_file={"base"})


def test_a_file_with_keys_that_everybody_may_read_is_warned_of(tmp_path: Path) -> None:
    file = tmp_path / "serve.toml"
    file.write_text("")
    file.chmod(0o644)
    assert "chmod 600" in (readable_secrets(file, {"admin_key": "x"}) or "")
    assert readable_secrets(file, {"base": "x"}) is None
    file.chmod(0o640)
    assert readable_secrets(file, {"admin_key": "x"}) is None
