"""`skillweave recipe`: the list, and names and settings that do not exist."""

import json
from pathlib import Path

import pytest
from skillweave.distill.recipes import recipe_table
from skillweave.scripts.cli import EXIT_USAGE, main

Capture = pytest.CaptureFixture[str]


def test_the_list_holds_every_recipe(capsys: Capture) -> None:
    assert main(["recipe", "list", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == set(recipe_table())
    assert main(["recipe", "list"]) == 0
    assert capsys.readouterr().out.split()[0] in recipe_table()


def test_an_unknown_recipe_is_refused_with_those_that_exist(capsys: Capture) -> None:
    assert main(["recipe", "run", "s3l"]) == EXIT_USAGE
    assert "'s3l' is unknown, expected one of s2l" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["ranks = 3", "type =", 'type = "opid"', "num_requests = 1"])
def test_settings_of_another_recipe_are_refused(tmp_path: Path, text: str, capsys: Capture) -> None:
    config = tmp_path / "mine.toml"
    config.write_text(text)
    assert main(["recipe", "run", "s2l", "--config", str(config)]) == EXIT_USAGE
    assert f"{config} holds no settings of this recipe" in capsys.readouterr().err.replace(
        "\n", " "
    )


@pytest.mark.parametrize("seed", ["-1", str(2**31)])
def test_a_seed_that_no_generator_takes_is_refused_at_once(seed: str, capsys: Capture) -> None:
    assert main(["recipe", "run", "s2l", "--seed", seed]) == EXIT_USAGE
    assert "--seed" in capsys.readouterr().err
