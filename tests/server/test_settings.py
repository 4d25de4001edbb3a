"""Keys from the environment: given as they are, or as the name of a file."""

from pathlib import Path

import pytest
from skillweave.adapters.errors import UsageError
from skillweave.server.settings import (
    SECRETS,
    admin_key_from_environment,
    engine_key_from_environment,
    metrics_key_from_environment,
    without_secrets,
)

READERS = dict(
    zip(
        SECRETS,
        (admin_key_from_environment, metrics_key_from_environment, engine_key_from_environment),
        strict=True,
    )
)


@pytest.mark.parametrize("name", SECRETS)
def test_a_key_or_the_file_that_holds_it(name: str, tmp_path: Path) -> None:
    read = READERS[name]
    file = tmp_path / "secret"
    file.write_text("of-the-file\n")
    assert read({}) is None
    assert read({name: ""}) is None
    assert read({name: "k"}) == "k"
    assert read({f"{name}_FILE": str(file)}) == "of-the-file"
    assert read({name: "k", f"{name}_FILE": str(file)}) == "k"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"SKILLWEAVE_ADMIN_KEY_FILE=.*nothing"):
        admin_key_from_environment({"SKILLWEAVE_ADMIN_KEY_FILE": str(tmp_path / "nothing")})


def test_children_get_no_keys() -> None:
    given = {"PATH": "p", "SKILLWEAVE_ADMIN_KEY": "k", "SKILLWEAVE_METRICS_KEY": "k"}
    assert without_secrets(given) == {"PATH": "p"}
