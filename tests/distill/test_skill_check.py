"""The report on skill folders: verdicts, advice, what weights carry, likeness."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from skillweave.distill.skill_check import CheckReport, check_skills
from skillweave.distill.token_meter import TokenMeter

METER = TokenMeter("words", lambda text: len(text.split()))
PutSkill = Callable[..., Path]


@pytest.fixture
def put_skill(tmp_path: Path) -> PutSkill:
    def put(name: str, description: str, *, folder: str | None = None, body: str = "Sort.") -> Path:
        place = tmp_path / (folder or name)
        place.mkdir(parents=True)
        text = f"---\nname: {name}\ndescription: {description}\nlicense: MIT\n---\n\n{body}\n"
        (place / "SKILL.md").write_text(text, encoding="utf-8")
        return place

    return put


def codes(report: CheckReport) -> list[list[str]]:
    return [[problem.code for problem in skill.problems] for skill in report.skills]


def test_a_good_skill_has_an_empty_list_of_problems_and_all_its_figures(
    put_skill: PutSkill,
) -> None:
    folder = put_skill("sort", "Sort a list by hand. Use when a list is out of order.")
    report = check_skills([folder], meter=METER)
    (skill,) = report.skills
    assert report.valid
    assert (skill.valid, skill.problems, skill.advice) == (True, (), ())
    assert (skill.name, skill.slug, skill.license) == ("sort", "sort", "MIT")
    assert skill.weights_carry == "all"
    assert skill.tokens is not None
    assert (skill.tokens.description, skill.tokens.body) == (13, 1)


def test_how_much_weights_carry_depends_on_the_files(put_skill: PutSkill) -> None:
    part = put_skill("a", "Sort a list. Use when it is out of order, or asked.")
    (part / "run.py").write_text("pass\n", encoding="utf-8")
    nothing = put_skill("b", "Count words, all. Use when a limit is given.", body="")
    report = check_skills([part, nothing], meter=METER)
    assert [skill.weights_carry for skill in report.skills] == ["part", "nothing"]


def test_one_invalid_skill_makes_the_report_invalid(put_skill: PutSkill, tmp_path: Path) -> None:
    good = put_skill("good", "Sort a list. Use when it is out of order, or asked.")
    bad = put_skill("Bad_", "x" * 1025, folder="other")
    report = check_skills([good, bad, tmp_path / "nowhere"], meter=METER)
    assert not report.valid
    assert [skill.valid for skill in report.skills] == [True, False, False]
    assert codes(report)[1] == [
        "name_case",
        "name_characters",
        "name_folder",
        "description_length",
    ]
    assert "does not exist" in report.skills[2].problems[0].message
    assert report.skills[2].tokens is None


def test_unreadable_frontmatter_is_a_problem_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "SKILL.md").write_text("---\nname: 'open\n---\n", encoding="utf-8")
    report = check_skills([tmp_path], meter=METER)
    assert codes(report) == [["unparsable"]]
    assert report.skills[0].weights_carry == "nothing"


@pytest.mark.parametrize("name", ["base", "auto", "latest"])
def test_reserved_names_are_read_but_refused(put_skill: PutSkill, name: str) -> None:
    report = check_skills([put_skill(name, "Sort. Use when it is time to sort a list.")])
    assert codes(report) == [["reserved_name"]]
    assert report.skills[0].name == name


def test_two_folders_for_one_slug_clash_and_one_folder_given_twice_does_not(
    put_skill: PutSkill,
) -> None:
    one = put_skill("sort", "Sort a list by hand. Use when a list is out of order.")
    two = put_skill("sort", "Count the words of a text. Use when asked.", folder="x/sort")
    report = check_skills([one, two], meter=METER)
    assert codes(report) == [["name_clash"], ["name_clash"]]
    assert str(two) in report.skills[0].problems[0].message
    assert check_skills([one, one / "SKILL.md"], meter=METER).valid


def test_links_are_a_problem_since_the_folder_cannot_be_stored(put_skill: PutSkill) -> None:
    folder = put_skill("sort", "Sort a list by hand. Use when a list is out of order.")
    (folder / "x").symlink_to("/etc/hostname")
    assert codes(check_skills([folder], meter=METER)) == [["no_digest"]]


def test_a_folder_of_skills_says_how_to_pass_them(put_skill: PutSkill, tmp_path: Path) -> None:
    put_skill("sort", "Sort a list by hand. Use when a list is out of order.")
    report = check_skills([tmp_path], meter=METER)
    assert codes(report) == [["unreadable", "folder_of_skills"]]
    assert report.skills[0].problems[1].remedy == f"pass {tmp_path}/*"


def test_near_duplicates_are_named(put_skill: PutSkill) -> None:
    text = "Sort a list of fruit by colour. Use when a fruit list is out of order."
    one, two = put_skill("one", text), put_skill("two", text)
    other = put_skill("other", "Count the words of a letter. Use when asked for its length.")
    report = check_skills([one, other, two], meter=METER)
    assert report.valid  # advice, not a verdict
    (pair,) = report.near_duplicates
    assert (pair.first, pair.second, pair.cosine) == ("one", "two", 1.0)


def test_the_json_holds_the_computed_verdicts(put_skill: PutSkill) -> None:
    folder = put_skill("base", "Sort. Use when it is time to sort a list.")
    data = json.loads(check_skills([folder], meter=METER).to_json())
    assert data["valid"] is False
    assert data["skills"][0]["weights_carry"] == "all"
    assert data["skills"][0]["problems"][0]["code"] == "reserved_name"
