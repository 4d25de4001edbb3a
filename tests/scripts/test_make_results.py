"""The page of results: one row a verdict, with its notes, and results of another base named."""

from skillweave.distill.evaluation import (
    Above,
    Criterion,
    ItemResult,
    RecipeVerdict,
    diff,
    judge,
    recipe_verdict,
)
from skillweave.scripts.make_results import HEAD, LENGTHS, SEEDS, lengths, page, stray_bases


def verdict(*notes: str, seed: int = 3) -> RecipeVerdict:
    criterion = Criterion(statement="a beats b", clauses=(Above(what=diff("a", "b"), bar=0.3),))
    results = [
        ItemResult(f"i{i}", f"s{i % 2}", arm, arm == "a", float(arm == "a"), 1, 1, "")
        for i in range(4)
        for arm in ("a", "b")
    ]
    return recipe_verdict(
        judge(results, criterion, num_resamples=10), criterion, recipe="s2l", source="a paper",
        seeds={"run": seed}, base="b" * 64, code="c", wall_s=61.2, rollouts=1, notes=notes,
    )  # fmt: skip


def test_a_row_says_what_was_seen_and_what_must_be_known() -> None:
    row = page({"s2l": (verdict("farm-routine has no adapter"),)}).removeprefix(HEAD)
    assert row.startswith("| [s2l](../results/s2l.json) | 3 | works | core | a 1.000 ")
    assert "(+1.000 [+1.000, +1.000])<br>farm-routine has no adapter | 61 s |" in row
    assert "<br>" not in page({"s2l": (verdict(),)}).removeprefix(HEAD).split(" | ")[5]


def test_a_result_of_another_base_is_named() -> None:
    assert stray_bases({"s2l": (verdict(),)}, "b" * 64) == []
    (said,) = stray_bases({"s2l": (verdict(),)}, "d" * 64)
    assert said.startswith("s2l: seed 3 was run on base bbbbbbbbbbbb, the shipped one is dddd")


def test_several_seeds_have_a_line_of_their_own_and_one_seed_has_none() -> None:
    assert SEEDS not in page({"s2l": (verdict(),)})
    text = page({"s2l": (verdict(seed=0), verdict(seed=1))})
    assert text.partition(SEEDS)[2] == "| s2l | a minus b | +1.000 | none | 2 |\n"  # they agree


def test_lengths_have_a_median() -> None:
    rows = "| a | 50 |\n| b | 80 |\n| c | 52 |\n| d | 61 |\n| median | 56.5 |\n"
    assert lengths({"b": 80, "a": 50, "d": 61, "c": 52}) == LENGTHS + rows
