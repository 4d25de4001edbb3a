"""Where this room keeps files."""

from pathlib import Path

import pytest
from skillweave.adapters.settings import default_store_root, load_settings


def test_the_home_comes_from_the_environment_or_the_user() -> None:
    assert load_settings({"SKILLWEAVE_HOME": "/x"}).store_root == Path("/x/store")
    assert load_settings({"SKILLWEAVE_HOME": "~/y"}).home == Path.home() / "y"
    for environ in ({}, {"SKILLWEAVE_HOME": ""}):
        assert load_settings(environ).home == Path.home() / ".skillweave"


def test_the_default_store_follows_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILLWEAVE_HOME", "/elsewhere")
    assert default_store_root() == Path("/elsewhere/store")
    assert load_settings().cache_root == Path("/elsewhere/cache")
