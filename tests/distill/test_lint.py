"""Each rule of taste bites on its case and is silent on a good skill."""

from dataclasses import replace
from pathlib import Path

import pytest
from skillweave.adapters.skills import Skill, read_skill
from skillweave.distill.lint import lint_skill

GOOD = Skill(
    "word-count",
    "Count the words of a text. Use when somebody asks how long a text is.",
    body="# Count\n\n1. Split the text at blanks.\n2. Write down the number of parts.",
    license="MIT",
)


def codes(skill: Skill) -> list[str]:
    return [problem.code for problem in lint_skill(skill)]


def test_a_good_skill_gets_no_advice() -> None:
    assert codes(GOOD) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"description": "Counts the words of a text, one by one, quickly."}, "no_use_when"),
        ({"description": "This skill counts words. Use when asked for it."}, "description_voice"),
        ({"description": "You count the words of a text when asked."}, "description_voice"),
        ({"description": "Use when words count."}, "description_short"),
        ({"body": "You should split the text."}, "not_imperative"),
        ({"body": "The model must split the text."}, "not_imperative"),
        ({"body": ""}, "empty_body"),
        ({"body": "\n".join(["x"] * 600)}, "long_file"),
        ({"body": "word " * 4100 + "end"}, "long_body"),
        ({"license": None}, "no_license"),
        ({"license": "Complete terms in LICENSE.txt"}, "license_missing"),
        ({"name": "Wörter"}, "not_portable"),
        ({"description": "Count <b>words</b>. Use when somebody asks for it."}, "not_portable"),
    ],
)
def test_a_rule_bites(change: dict[str, str], code: str) -> None:
    assert code in codes(replace(GOOD, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "description",
    [
        "Count words. Use this whenever a text has a limit.",
        "Count words. Use it for every text that has a limit.",
        "Count words of texts. Invoke before a text is sent off.",
    ],
)
def test_several_ways_of_saying_when_are_known(description: str) -> None:
    assert "no_use_when" not in codes(replace(GOOD, description=description))


def test_advice_says_what_was_seen_and_what_to_do() -> None:
    (advice,) = lint_skill(replace(GOOD, body="You can split it. You can count it."))
    assert "2 time(s), first 'You can'" in advice.message
    assert "imperative" in advice.remedy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "word-count"
    (place / "references" / "deep").mkdir(parents=True)
    return place


def codes_with_body(folder: Path, body: str) -> list[str]:
    text = f"---\nname: word-count\ndescription: {GOOD.description}\nlicense: MIT\n---\n\n{body}\n"
    (folder / "SKILL.md").write_text(text, encoding="utf-8")
    return codes(read_skill(folder)[0])


def test_existing_references_one_level_deep_are_fine(folder: Path) -> None:
    (folder / "references" / "api.md").write_text("x\n", encoding="utf-8")
    (folder / "README.md").write_text("x\n", encoding="utf-8")
    assert codes_with_body(folder, "Read references/api.md when asked for the API.") == []
    assert codes_with_body(folder, "Read what you need in references/ first.") == []


def test_dead_references_are_found(folder: Path) -> None:
    assert codes_with_body(folder, "Read [this](references/api.md).") == ["reference_missing"]
    assert codes_with_body(folder, "Read [this](../api.md).") == ["reference_outside"]


def test_references_too_deep_too_long_or_never_mentioned_are_found(folder: Path) -> None:
    (folder / "references" / "deep" / "a.md").write_text("x\n", encoding="utf-8")
    assert codes_with_body(folder, "Read references/deep/a.md first.") == ["reference_deep"]
    assert codes_with_body(folder, "Count.") == ["unmentioned_file"]
    (folder / "references" / "deep" / "a.md").rename(folder / "long.md")
    (folder / "long.md").write_text("x\n" * 300, encoding="utf-8")
    assert codes_with_body(folder, "Read `long.md` first.") == ["long_reference"]


def test_a_chain_of_references_is_found_once(folder: Path) -> None:
    (folder / "references" / "a.md").write_text("Go on in [b](b.md).\n", encoding="utf-8")
    (folder / "references" / "b.md").write_text("Back to [a](a.md).\n", encoding="utf-8")
    assert codes_with_body(folder, "Read references/a.md first.") == ["reference_chain"]
    assert codes_with_body(folder, "Read references/a.md, then references/b.md.") == []


def test_a_licence_file_beside_the_skill_counts(folder: Path) -> None:
    (folder / "LICENSE.txt").write_text("x\n", encoding="utf-8")
    (folder / "SKILL.md").write_text(
        f"---\nname: word-count\ndescription: {GOOD.description}\n---\nCount.\n", encoding="utf-8"
    )
    assert codes(read_skill(folder)[0]) == []
