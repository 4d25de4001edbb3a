"""A configuration that makes no sense is refused before anything starts."""

import pytest
from pydantic import ValidationError
from skillweave.server.config import ServeConfig


def test_something_to_serve_is_needed() -> None:
    with pytest.raises(ValidationError, match="neither base nor engine_url"):
        ServeConfig()


def test_a_foreign_engine_takes_no_flags() -> None:
    with pytest.raises(ValidationError, match="engine_args and num_engines"):
        ServeConfig(engine_url="http://127.0.0.1:1", engine_args=("--seed", "1"))


def test_a_key_without_an_engine_is_a_mistake() -> None:
    with pytest.raises(ValidationError, match="engine_key without engine_url"):
        ServeConfig(base="b", engine_key="k")


def test_no_secret_is_in_an_address() -> None:
    with pytest.raises(ValidationError, match="would stand in logs") as refusal:
        ServeConfig(engine_url="http://me:hunter22@127.0.0.1:1")
    assert "hunter22" not in str(refusal.value.errors(include_input=False))


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(ValidationError, match="prot"):
        ServeConfig.model_validate({"base": "b", "prot": 1})


def test_it_survives_the_pipe_to_the_supervisor() -> None:
    config = ServeConfig(base="b", engine_args=("--seed", "1"), prefix_cache=False)
    assert ServeConfig.model_validate_json(config.model_dump_json()) == config
