"""The reader forgives all but a missing description and frontmatter of open meaning."""

from pathlib import Path

import pytest
import skills_ref
from skillweave.adapters.errors import SkillError
from skillweave.adapters.skills import folder_digest, read_skill

from .conftest import PutSkill

FULL = """---
name: my-skill
description: Does it. Use when asked.
license: Apache-2.0
compatibility: Needs git
metadata:
  version: 1.0
  author: me
allowed-tools: Bash(git:*) Read
---

# Title

Step one.
"""


def codes(folder: Path) -> list[str]:
    return [warning.code for warning in read_skill(folder)[1]]


def test_a_good_skill_is_read_whole_and_without_warning(put_skill: PutSkill) -> None:
    folder = put_skill(FULL)
    (folder / "scripts").mkdir()
    (folder / "scripts" / "run.py").write_text("pass\n", encoding="utf-8")
    (folder / "forms.md").write_text("x\n", encoding="utf-8")
    skill, warnings = read_skill(folder)
    assert warnings == []
    assert skill.name == skill.slug == "my-skill"
    assert skill.description == "Does it. Use when asked."
    assert skill.body == "# Title\n\nStep one."
    assert (skill.license, skill.compatibility) == ("Apache-2.0", "Needs git")
    assert skill.metadata == {"version": "1.0", "author": "me"}
    assert skill.allowed_tools == "Bash(git:*) Read"
    assert skill.path == folder
    assert skill.resources == ("forms.md", "scripts/run.py")
    assert skill.digest == folder_digest(folder)


def test_fields_equal_those_of_the_reference_reader(put_skill: PutSkill) -> None:
    folder = put_skill(FULL)
    skill, _ = read_skill(folder)
    assert skills_ref.read_properties(folder).to_dict() == {
        "name": skill.name,
        "description": skill.description,
        "license": skill.license,
        "compatibility": skill.compatibility,
        "allowed-tools": skill.allowed_tools,
        "metadata": skill.metadata,
    }


def test_crlf_and_a_byte_order_mark_change_nothing_but_the_warnings(put_skill: PutSkill) -> None:
    plain, _ = read_skill(put_skill(FULL, "a/my-skill"))
    folder = put_skill(("\ufeff" + FULL).replace("\n", "\r\n"), "b/my-skill")
    windows, warnings = read_skill(folder)
    assert (windows.body, windows.metadata) == (plain.body, plain.metadata)
    assert [warning.code for warning in warnings] == ["bom"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (FULL.replace("my-skill", "other"), "name_folder"),
        (FULL.replace("my-skill", "x" * 80), "name_length"),
        (FULL.replace("my-skill", "My Skill"), "name_case"),
        (FULL.replace("license:", "version: 2\nlicense:"), "unknown_field"),
        (FULL.replace("Does it.", "Use for: this."), "repaired"),
        (FULL.replace("Does it.", "x" * 1025), "description_length"),
        (FULL.replace("allowed-tools: Bash(git:*) Read", "allowed-tools: [Read]"), "flow_style"),
        (FULL.replace("Apache-2.0", "{a: b}"), "dropped_field"),
        (FULL.replace("\n  version: 1.0\n  author: me", " text"), "dropped_field"),
        (FULL.replace("version: 1.0", "nested:\n    k: v"), "nested_metadata"),
        (FULL.replace("name: my-skill\n", ""), "name_from_folder"),
    ],
)
def test_what_the_judge_refuses_is_read_with_a_warning(
    put_skill: PutSkill, text: str, code: str
) -> None:
    folder = put_skill(text)
    assert code in codes(folder)
    assert read_skill(folder)[0].body == "# Title\n\nStep one."


def test_values_of_forgiven_fields(put_skill: PutSkill) -> None:
    text = (
        "---\ndescription: |\n  Use when: asked,\n  often\nallowed-tools:\n- Read\n- Bash(git:*)\n"
        "license: ''\nmetadata:\n  list:\n  - a\n---\n"
    )
    skill, _ = read_skill(put_skill(text, "Ordner"))
    assert skill.name == "Ordner"
    assert skill.slug == "ordner"
    assert skill.description == "Use when: asked,\noften"
    assert skill.allowed_tools == "Read Bash(git:*)"
    assert skill.license is None
    assert skill.metadata == {"list": '["a"]'}
    assert skill.body == ""


def test_unicode_names_are_read_in_normal_form(put_skill: PutSkill) -> None:
    skill, warnings = read_skill(put_skill("---\nname: cafe\u0301\ndescription: x\n---\n", "café"))
    assert skill.name == "café"
    assert warnings == []


def test_reserved_names_can_be_read(put_skill: PutSkill) -> None:
    skill, warnings = read_skill(put_skill(FULL.replace("my-skill", "latest"), "latest"))
    assert (skill.name, warnings) == ("latest", [])


def test_bytes_that_are_not_utf8_are_replaced(put_skill: PutSkill) -> None:
    folder = put_skill(FULL.encode() + b"caf\xe9\n")
    assert codes(folder) == ["not_utf8"]
    assert read_skill(folder)[0].body.endswith("caf\ufffd")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("---\nname: my-skill\n---\n", "no description"),
        ("---\nname: my-skill\ndescription: ' '\n---\n", "no description"),
        ("---\nname: my-skill\ndescription:\n- x\n---\n", "no description"),
        ("---\ndescription: a\ndescription: b\n---\n", "duplicate key 'description'"),
        ("---\nname: &n a\ndescription: *n\n---\n", "ambiguous"),
        ("---\ndescription: 'open\n---\n", "not usable YAML"),
        ("no frontmatter", "no frontmatter"),
    ],
)
def test_a_skill_that_nobody_can_read_is_refused_with_its_file(
    put_skill: PutSkill, text: str, says: str
) -> None:
    folder = put_skill(text)
    with pytest.raises(SkillError, match=says) as caught:
        read_skill(folder)
    assert str(folder / "SKILL.md") in str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SkillError, match=r"missing required file SKILL\.md"):
        read_skill(tmp_path)


def test_links_cost_the_digest_and_are_reported(put_skill: PutSkill) -> None:
    folder = put_skill(FULL)
    (folder / "link").symlink_to("/etc/hostname")
    skill, warnings = read_skill(folder)
    assert skill.digest is None
    assert skill.resources == ()
    assert [warning.code for warning in warnings] == ["no_digest"]
    assert "link is a symbolic link" in warnings[0].message
