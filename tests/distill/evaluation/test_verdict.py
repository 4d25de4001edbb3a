"""What is printed and kept: the verdict, the item log, the tables."""

import csv
import io
import json
from pathlib import Path

import pytest
from pydantic import ValidationError
from skillweave.distill.evaluation import (
    Above,
    ArmSummary,
    Criterion,
    ItemLog,
    ItemResult,
    RecipeVerdict,
    Tokens,
    arms_csv,
    arms_markdown,
    comparisons_csv,
    comparisons_markdown,
    diff,
    judge,
    read_verdicts,
    recipe_verdict,
    write_verdicts,
)

CRITERION = Criterion(statement="a beats b", clauses=(Above(what=diff("a", "b"), bar=0.3),))


def rows(arm: str, passed: bool, n: int = 8) -> list[ItemResult]:
    return [
        ItemResult(f"i{i}", f"s{i % 2}", arm, passed, float(passed), 10, 4, 'say "ü"\n', "tidy@1")
        for i in range(n)
    ]


def a_verdict(seed: int = 0) -> RecipeVerdict:
    judgement = judge([*rows("a", True), *rows("b", False)], CRITERION, num_resamples=100)
    return recipe_verdict(
        judgement,
        CRITERION,
        recipe="s2l",
        source="arXiv:2606.16769",
        seeds={"train": seed, "bootstrap": 0},
        base="sha256:00",
        code="abc",
        wall_s=12.5,
        rollouts=256,
    )


def test_the_verdict_has_the_fields_that_results_are_read_by() -> None:
    got = json.loads(a_verdict().model_dump_json())
    wanted = "recipe source criterion arms comparisons seeds base code wall_s rollouts status scope"
    assert set(wanted.split()) <= set(got)
    assert set(got["arms"]["a"]) >= {"mean", "ci", "n", "tokens"}
    assert set(got["comparisons"][0]) >= {"a", "b", "diff", "ci", "discordant"}


def test_the_verdict_says_what_was_seen_beside_each_bar() -> None:
    got = a_verdict()
    assert (got.status, got.scope) == ("works", "core")
    (clause,) = got.criterion.clauses
    assert (clause.clause, clause.bar, clause.seen) == ("a minus b > 0.3", 0.3, 1.0)
    assert clause.holds
    assert got.criterion.digest == CRITERION.digest
    assert got.comparisons[0].discordant.only_a == 8


def test_committed_results_round_trip_and_unknown_fields_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "s2l.json"
    write_verdicts(path, [a_verdict(0), a_verdict(1)])
    assert read_verdicts(path) == (a_verdict(0), a_verdict(1))
    kept = json.loads(path.read_text())
    kept[0]["extra"] = 1
    path.write_text(json.dumps(kept))
    with pytest.raises(ValidationError):
        read_verdicts(path)


def test_a_log_keeps_every_field_and_is_on_disk_after_every_result(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "items.jsonl"
    results = (*rows("a", True), *rows("b", False))
    with ItemLog(path) as log:
        for number, result in enumerate(results, 1):
            log.write(result)
            lines = path.read_text(encoding="utf-8").split("\n")
            assert len(lines) == number + 1
            assert lines[-1] == ""
    assert [ItemResult(**json.loads(line)) for line in lines[:-1]] == list(results)


def test_a_log_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    for _ in range(2):
        with ItemLog(path) as log:
            log.write(rows("a", True)[0])
    assert len(path.read_text().splitlines()) == 2


ARM = ArmSummary("none | base", 0.94237, (0.9, 0.97), 1200, Tokens(14.25, 31.0), failures=2)


def test_markdown_is_in_percent_and_escapes_pipes() -> None:
    line = arms_markdown([ARM]).splitlines()[2]
    assert line == "| none \\| base | 94.2 | 90.0 to 97.0 | 1200 | 2 | 14.2 | 31.0 |"


def test_csv_keeps_full_precision_and_parses() -> None:
    (row,) = csv.DictReader(io.StringIO(arms_csv([ARM])))
    assert row["arm"] == "none | base"
    assert float(row["mean"]) == 0.94237
    assert row["failures"] == "2"


def test_comparisons_are_in_points_with_a_sign() -> None:
    comparisons = judge(
        [*rows("a", True), *rows("b", False)], CRITERION, num_resamples=50
    ).comparisons
    assert comparisons_markdown(comparisons).splitlines()[2] == (
        "| a minus b | +100.0 | +100.0 to +100.0 | 8 | 0 |"
    )
    (row,) = csv.DictReader(io.StringIO(comparisons_csv(comparisons)))
    assert (row["diff"], row["only_a"]) == ("1.0", "8")
