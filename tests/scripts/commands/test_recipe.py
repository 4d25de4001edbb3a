"""`skillweave recipe`: the list, and names and settings that do not exist."""

import inspect
import json
from pathlib import Path

import pytest
from skillweave.adapters.errors import UsageError
from skillweave.distill.evaluation import (
    Above,
    Criterion,
    ItemResult,
    RecipeVerdict,
    diff,
    judge,
    read_verdicts,
    recipe_verdict,
    write_verdicts,
)
from skillweave.distill.recipes import recipe_table, s2l
from skillweave.scripts.cli import EXIT_FAILED, EXIT_USAGE, main
from skillweave.scripts.commands.recipe import append_verdict, committed_status

Capture = pytest.CaptureFixture[str]


def test_the_list_holds_every_recipe(capsys: Capture) -> None:
    assert main(["recipe", "list", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == set(recipe_table())
    assert main(["recipe", "list"]) == 0
    assert capsys.readouterr().out.split()[0] in recipe_table()


def test_the_list_says_which_paper_and_what_the_results_say(
    tmp_path: Path, capsys: Capture
) -> None:
    assert main(["recipe", "list", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["s2l"]
    assert row["source"] == recipe_table()["s2l"].source
    assert row["worlds"] == ["string_skills", "facts"]
    assert row["status"] == committed_status("s2l")
    file = Path(inspect.getfile(s2l))
    assert row["lines"] == len(file.read_text().splitlines())
    assert committed_status("s2l", tmp_path) == "not run"
    write_verdicts(tmp_path / "s2l.json", [verdict(0), verdict(1)])
    write_verdicts(tmp_path / "s2l.facts.json", [verdict(0)])
    write_verdicts(tmp_path / "s2l2.json", [verdict(0)])
    assert committed_status("s2l", tmp_path) == "works 3"


def test_a_new_recipe_is_written_and_is_a_recipe(tmp_path: Path, capsys: Capture) -> None:
    assert main(["recipe", "new", "mine", "--out", str(tmp_path)]) == 0
    assert f"skillweave recipe run {tmp_path / 'mine.py'}" in capsys.readouterr().out
    assert main(["recipe", "new", "mine", "--out", str(tmp_path)]) == EXIT_FAILED
    assert "never overwrites" in capsys.readouterr().err.replace("\n", " ")
    assert main(["recipe", "run", str(tmp_path / "mine.py"), "--world", "moon"]) == EXIT_USAGE
    assert "'moon'" in capsys.readouterr().err


def test_one_recipe_or_a_strange_budget_is_no_comparison(capsys: Capture) -> None:
    assert main(["recipe", "compare", "s2l"]) == EXIT_USAGE
    assert "at least two" in capsys.readouterr().err
    assert main(["recipe", "compare", "s2l", "s2l", "--budget", "euros=5"]) == EXIT_USAGE
    assert "rollouts=200" in capsys.readouterr().err.replace("\n", " ")


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


def verdict(seed: int, *, wall_s: float = 1.0) -> RecipeVerdict:
    criterion = Criterion(statement="a beats b", clauses=(Above(what=diff("a", "b"), bar=0.3),))
    results = [
        ItemResult(f"i{i}", f"s{i % 2}", arm, arm == "a", float(arm == "a"), 1, 1, "")
        for i in range(4)
        for arm in ("a", "b")
    ]
    return recipe_verdict(
        judge(results, criterion, num_resamples=10), criterion, recipe="s2l", source="a paper",
        seeds={"run": seed, "bootstrap": seed}, base="b", code="c", wall_s=wall_s, rollouts=1,
    )  # fmt: skip


def test_verdicts_stand_in_order_of_seed_and_one_of_the_same_seed_is_replaced(
    tmp_path: Path,
) -> None:
    out = tmp_path / "s2l.json"
    for one in (verdict(2), verdict(0), verdict(2, wall_s=9.0)):
        append_verdict(out, one)
    assert read_verdicts(out) == (verdict(0), verdict(2, wall_s=9.0))
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("text", ["", "{", "5", "{}", '[{"seeds": 1}]', '"\ud800'])
def test_a_file_that_holds_something_else_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    out = tmp_path / "s2l.json"
    out.write_text(text, errors="surrogatepass")
    before = out.read_bytes()
    with pytest.raises(UsageError, match=f"{out} holds no JSON list of verdicts"):
        append_verdict(out, verdict(0))
    assert main(["recipe", "run", "s2l", "--out", str(out)]) == EXIT_USAGE
    assert out.read_bytes() == before


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no folder .*nowhere"):
        append_verdict(tmp_path / "nowhere" / "s2l.json", verdict(0))
