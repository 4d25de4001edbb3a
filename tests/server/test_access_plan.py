"""A server that others can reach has keys, or somebody said that it need not."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from skillweave.adapters.errors import UsageError
from skillweave.server.access_plan import access_of
from skillweave.server.access_settings import access_folder
from skillweave.server.config import ServeConfig
from skillweave.server.gateway.access.key_file import KeyFile
from skillweave.server.gateway.access.keys import Wish


def config(store: Path, **more: object) -> ServeConfig:
    return ServeConfig.model_validate({"base": "b", "store": store, **more})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "models.internal"])
def test_beyond_this_machine_there_must_be_keys(tmp_path: Path, host: str) -> None:
    with pytest.raises(UsageError, match="anybody could ask"):
        access_of(config(tmp_path, host=host))
    assert access_of(config(tmp_path, host=host, allow_anybody=True)).allow_anybody
    KeyFile(access_folder(tmp_path) / "keys.jsonl").create(Wish(name="a"))
    assert access_of(config(tmp_path, host=host)).keys_required


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.1.2.3"])
def test_on_this_machine_keys_are_a_choice(tmp_path: Path, host: str) -> None:
    assert not access_of(config(tmp_path, host=host)).keys_required


def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    file = tmp_path / "keys.jsonl"
    with pytest.raises(UsageError, match="keys create NAME"):
        access_of(config(tmp_path, keys=file))
    KeyFile(file).create(Wish(name="a"))
    seen = access_of(config(tmp_path, keys=file))
    assert (seen.keys, seen.keys_required) == (file, True)
    assert seen.usage is not None
    assert seen.usage.parent == access_folder(tmp_path)


def test_networks_are_networks(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="admin_networks"):
        config(tmp_path, admin_networks=("10.0.0.0/99",))
