"""What we write is narrow, and every reader we know reads it alike."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import skills_ref
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.adapters.errors import SkillError
from skillweave.adapters.skills import Skill, read_skill, write_skill, writing_problems

SKILL = Skill("my-skill", "Does it. Use when asked.", body="# Title\n\nStep one.")


def test_a_plain_skill_has_a_plain_file(tmp_path: Path) -> None:
    skill = replace(SKILL, license="MIT", metadata={"skillweave.version": "2"})
    file = write_skill(skill, tmp_path / "my-skill")
    assert file.read_text(encoding="utf-8") == (
        "---\nname: my-skill\ndescription: Does it. Use when asked.\nlicense: MIT\nmetadata:\n"
        '  skillweave.version: "2"\n---\n\n# Title\n\nStep one.\n'
    )


_SLUGS = st.from_regex(r"[a-z0-9]{1,9}(-[a-z0-9]{1,9}){0,3}", fullmatch=True)
_LINES = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from("-#:'\"\\ |>[]{}&*!%@`,?~")),
    min_size=1,
    max_size=80,
)
_SKILLS = st.builds(
    Skill,
    _SLUGS,
    _LINES,
    body=st.one_of(_LINES, st.just("# A\n\n---\n\nb --- c\n---"), st.just("")),
    license=st.none() | _LINES,
    compatibility=st.none() | _LINES,
    metadata=st.dictionaries(_LINES, st.text(max_size=40), max_size=3),
    allowed_tools=st.none() | _LINES,
)


@settings(deadline=None, derandomize=True)
@given(skill=_SKILLS)
def test_what_is_written_is_valid_and_comes_back_equal(skill: Skill) -> None:
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / skill.name
        if writing_problems(skill):
            with pytest.raises(SkillError):
                write_skill(skill, folder)
            assert not folder.exists()
            return
        file = write_skill(skill, folder)
        assert skills_ref.validate(folder) == []
        again, warnings = read_skill(folder)
        assert warnings == []
        assert replace(again, path=None, digest=None) == skill
        theirs = skills_ref.read_properties(folder)
        assert (theirs.name, theirs.description) == (skill.name, skill.description)
        assert theirs.license == skill.license
        assert theirs.compatibility == skill.compatibility
        assert theirs.allowed_tools == skill.allowed_tools
        assert (theirs.metadata or {}) == skill.metadata
        frontmatter = file.read_text(encoding="utf-8").split("\n---\n")[0]
        typed = yaml.safe_load(frontmatter)  # readers with YAML's own types see the same strings
        assert typed["description"] == skill.description
        assert typed.get("metadata", {}) == skill.metadata


@pytest.mark.parametrize(
    "text",
    [
        "a --- b",
        "-----",
        "yes",
        "null",
        "1.0",
        "key: value",
        "# no comment",
        'it\'s "quoted" \\ back',
        "ends with:",
        "ünïcode 技能 😀",
        "a\u00a0b",
    ],
)
def test_awkward_descriptions_survive(tmp_path: Path, text: str) -> None:
    skill = replace(SKILL, description=text)
    write_skill(skill, tmp_path / "my-skill")
    assert skills_ref.validate(tmp_path / "my-skill") == []
    assert skills_ref.read_properties(tmp_path / "my-skill").description == text
    assert read_skill(tmp_path / "my-skill")[0].description == text


@pytest.mark.parametrize(
    ("skill", "says"),
    [
        (replace(SKILL, name="Mein Skill"), "not a slug"),
        (replace(SKILL, name="技能"), "not a slug"),
        (replace(SKILL, name="a" * 65), "not a slug"),
        (replace(SKILL, name="base"), "reserved"),
        (replace(SKILL, name="auto"), "reserved"),
        (replace(SKILL, name="latest"), "reserved"),
        (replace(SKILL, description=" "), "description is blank"),
        (replace(SKILL, description="a\nb"), "one line"),
        (replace(SKILL, description="a\u2028b"), "one line"),
        (replace(SKILL, description="a <b> c"), "angle brackets"),
        (replace(SKILL, description="x" * 1025), "1025 characters; at most 1024"),
        (replace(SKILL, description="\ud800"), "broken Unicode"),
        (replace(SKILL, compatibility=""), "compatibility is blank"),
        (replace(SKILL, compatibility="x" * 501), "501 characters; at most 500"),
        (replace(SKILL, license="a\nb"), "license holds line breaks"),
        (replace(SKILL, allowed_tools=" Read"), "blanks at its ends"),
        (replace(SKILL, metadata={"a\nb": "c"}), "metadata key"),
        (replace(SKILL, metadata={"a": "\x00"}), "control characters"),
        (replace(SKILL, body="a\r\nb"), "carriage returns"),
        (replace(SKILL, body=" a "), "body has blanks"),
        (replace(SKILL, body="\n".join(["x"] * 500)), "fewer than 500"),
    ],
)
def test_what_breaks_a_rule_is_refused(tmp_path: Path, skill: Skill, says: str) -> None:
    with pytest.raises(SkillError, match=says):
        write_skill(skill, tmp_path / "my-skill")
    assert list(tmp_path.iterdir()) == []


def test_every_reason_is_given_at_once(tmp_path: Path) -> None:
    skill = Skill("Bad", "<a>\nb", body="x ", license="")
    with pytest.raises(SkillError) as caught:
        write_skill(skill, tmp_path / "other")
    assert len(str(caught.value).splitlines()) == 1 + 6


def test_the_folder_must_be_called_like_the_skill(tmp_path: Path) -> None:
    with pytest.raises(SkillError, match="must be called like the skill"):
        write_skill(SKILL, tmp_path / "other")


def test_an_existing_skill_is_kept_unless_told_otherwise(tmp_path: Path) -> None:
    file = write_skill(SKILL, tmp_path / "my-skill")
    changed = replace(SKILL, body="new")
    with pytest.raises(SkillError, match="exists"):
        write_skill(changed, tmp_path / "my-skill")
    assert "Step one." in file.read_text(encoding="utf-8")
    write_skill(changed, tmp_path / "my-skill", overwrite=True)
    assert read_skill(file)[0].body == "new"
    assert [path.name for path in file.parent.iterdir()] == ["SKILL.md"]  # no temporary files left


def test_a_disk_that_refuses_is_a_skill_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SkillError, match="cannot write"):
        write_skill(SKILL, tmp_path / "file" / "my-skill")
