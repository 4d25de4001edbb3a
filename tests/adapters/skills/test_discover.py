"""The search is bounded, its order fixed, and nothing is dropped without a word."""

from pathlib import Path

import pytest
from skillweave.adapters.errors import SkillError
from skillweave.adapters.skills import discover_skills

from .conftest import PutSkill


def text(name: str, body: str = "x") -> str:
    return f"---\nname: {name}\ndescription: Does {name}.\n---\n{body}\n"


def names(*roots: Path) -> list[str]:
    return [skill.name for skill, _ in discover_skills(*roots)]


def test_skills_are_found_breadth_first_in_order_of_name(
    put_skill: PutSkill, tmp_path: Path
) -> None:
    for place in ("b", ".agents/skills/c", "a"):
        put_skill(text(place.rpartition("/")[2]), place)
    assert names(tmp_path) == ["a", "b", "c"]


def test_a_root_may_be_a_skill_and_skills_inside_skills_are_resources(
    put_skill: PutSkill, tmp_path: Path
) -> None:
    put_skill(text("outer"), "outer")
    put_skill(text("inner"), "outer/examples/inner")
    assert names(tmp_path) == ["outer"]
    assert names(tmp_path / "outer") == ["outer"]


def test_history_packages_and_other_spellings_are_passed_over(
    put_skill: PutSkill, tmp_path: Path
) -> None:
    put_skill(text("a"), ".git/a")
    put_skill(text("b"), "node_modules/b")
    put_skill(text("c"), "c", file="skill.md")
    found = discover_skills(tmp_path)
    assert (len(found), found.skipped) == (0, ())


def test_the_first_root_wins_a_clash_and_both_sides_are_told(
    put_skill: PutSkill, tmp_path: Path
) -> None:
    put_skill(text("same", "project"), "project/same")
    put_skill(text("Same", "user"), "user/Same")  # another spelling, the same slug
    found = discover_skills(tmp_path / "project", tmp_path / "user")
    assert [skill.body for skill, _ in found] == ["project"]
    assert [warning.code for warning in found[0][1]] == ["name_clash"]
    assert [problem.code for problem in found.skipped] == ["name_clash"]
    other = discover_skills(tmp_path / "user", tmp_path / "project")
    assert [skill.body for skill, _ in other] == ["user"]


def test_unusable_skills_are_skipped_with_the_reason(put_skill: PutSkill, tmp_path: Path) -> None:
    put_skill("---\nname: bad\n---\n", "bad")
    put_skill(text("other-name"), "good")
    found = discover_skills(tmp_path)
    assert [skill.name for skill, _ in found] == ["other-name"]
    assert [warning.code for warning in found[0][1]] == ["name_folder"]
    assert "no description" in found.skipped[0].message


def test_the_depth_is_bounded_and_said(put_skill: PutSkill, tmp_path: Path) -> None:
    put_skill(text("near"), "1/2/near")
    put_skill(text("far"), "1/2/3/far")
    found = discover_skills(tmp_path, max_depth=3)
    assert [skill.name for skill, _ in found] == ["near"]
    assert [problem.code for problem in found.skipped] == ["search_bound"]


def test_the_number_of_folders_is_bounded_and_said(put_skill: PutSkill, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        put_skill(text(name), name)
    found = discover_skills(tmp_path, max_folders=3)
    assert [skill.name for skill, _ in found] == ["a", "b"]
    assert [problem.code for problem in found.skipped] == ["search_bound"]


def test_links_are_not_entered(put_skill: PutSkill, tmp_path: Path) -> None:
    put_skill(text("real"), "elsewhere/real")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "loop").symlink_to(tmp_path / "root")
    (tmp_path / "root" / "real").symlink_to(tmp_path / "elsewhere" / "real")
    found = discover_skills(tmp_path / "root")
    assert len(found) == 0
    assert [problem.code for problem in found.skipped] == ["link", "link"]


def test_a_root_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SkillError, match="not a folder"):
        discover_skills(tmp_path / "nowhere")
