"""The strict judge gives the reference validator's verdict, in both directions."""

import tempfile
from pathlib import Path

import pytest
import skills_ref
from hypothesis import given, settings
from hypothesis import strategies as st
from skills_ref.validator import validate_metadata
from skillweave.adapters.skills import skill_problems, validate_skill
from skillweave.adapters.skills.validate import field_problems

from .conftest import PutSkill

GOOD = "---\nname: my-skill\ndescription: Does it. Use when asked.\n---\nBody.\n"


def reference_says_valid(folder: Path) -> bool:
    """The reference's verdict; where it crashes it has not accepted the skill."""
    try:
        return skills_ref.validate(folder) == []
    except (AttributeError, AssertionError, UnicodeDecodeError):
        return False


def with_fields(yaml_text: str) -> str:
    return f"---\n{yaml_text}\n---\nBody.\n"


CASES: list[tuple[str, str, bool]] = [
    ("my-skill", GOOD, True),
    ("my-skill", GOOD.replace("\n", "\r\n"), True),
    ("my-skill", GOOD + "\n---\n\nmore\n\n---\n", True),
    ("my-skill", "\ufeff" + GOOD, False),
    ("my-skill", "\n" + GOOD, False),
    ("my-skill", "", False),
    ("my-skill", "Body only.", False),
    ("my-skill", "---\nname: my-skill\ndescription: x\n", False),
    ("other", GOOD, False),
    ("my-skill", with_fields("name: my-skill"), False),
    ("my-skill", with_fields("description: x"), False),
    ("my-skill", with_fields("name: my-skill\ndescription:"), False),
    ("my-skill", with_fields("name: my-skill\ndescription: '  '"), False),
    ("my-skill", with_fields("name: my-skill\ndescription:\n- a"), False),
    ("my-skill", with_fields("name:\n- my-skill\ndescription: x"), False),
    ("my-skill", with_fields(f"name: my-skill\ndescription: {'x' * 1024}"), True),
    ("my-skill", with_fields(f"name: my-skill\ndescription: {'x' * 1025}"), False),
    # The length counts before stripping: 1024 characters and the block's line end.
    ("my-skill", with_fields(f"name: my-skill\ndescription: |\n  {'x' * 1024}"), False),
    ("my-skill", with_fields(f"name: my-skill\ndescription: |-\n  {'x' * 1024}"), True),
    ("my-skill", with_fields(f"name: my-skill\ndescription: x\ncompatibility: {'x' * 500}"), True),
    ("my-skill", with_fields(f"name: my-skill\ndescription: x\ncompatibility: {'x' * 501}"), False),
    ("my-skill", with_fields("name: my-skill\ndescription: x\ncompatibility:"), True),
    ("my-skill", with_fields("name: my-skill\ndescription: x\ncompatibility:\n- x"), False),
    ("my-skill", with_fields("name: my-skill\ndescription: x\nversion: 1"), False),
    ("my-skill", with_fields("name: my-skill\ndescription: x\nmetadata:\n  version: 1"), True),
    ("my-skill", with_fields("name: my-skill\ndescription: x\nmetadata: text"), True),
    ("my-skill", with_fields("name: my-skill\ndescription: x\nmetadata: {version: 1}"), False),
    ("my-skill", with_fields("name: my-skill\ndescription: x\nlicense:\n  a: b"), True),
    ("my-skill", with_fields("name: my-skill\ndescription: x\nallowed-tools: Bash(git:*) R"), True),
    ("my-skill", with_fields("name: my-skill\ndescription: x\nallowed-tools: [Read]"), False),
    ("my-skill", with_fields("name: my-skill\nname: my-skill\ndescription: x"), False),
    ("my-skill", with_fields("name: &a my-skill\ndescription: x"), False),
    ("my-skill", with_fields("name: !!str my-skill\ndescription: x"), False),
    ("my-skill", with_fields("name: my-skill\ndescription: a: b"), False),
    ("My-Skill", with_fields("name: My-Skill\ndescription: x"), False),
    ("-a", with_fields("name: -a\ndescription: x"), False),
    ("a-", with_fields("name: a-\ndescription: x"), False),
    ("a--b", with_fields("name: a--b\ndescription: x"), False),
    ("a_b", with_fields("name: a_b\ndescription: x"), False),
    ("a" * 64, with_fields(f"name: {'a' * 64}\ndescription: x"), True),
    ("a" * 65, with_fields(f"name: {'a' * 65}\ndescription: x"), False),
    ("技能", with_fields("name: 技能\ndescription: x"), True),
    ("мой-навык", with_fields("name: мой-навык\ndescription: x"), True),
    ("Навык", with_fields("name: Навык\ndescription: x"), False),
    ("cafe\u0301", with_fields("name: caf\u00e9\ndescription: x"), True),
    ("\ufb01x", with_fields("name: fix\ndescription: x"), True),
    ("base", with_fields("name: base\ndescription: x"), True),
]


@pytest.mark.parametrize(("folder", "text", "valid"), CASES)
def test_verdict_is_right_and_the_references(
    put_skill: PutSkill, folder: str, text: str, valid: bool
) -> None:
    place = put_skill(text, folder)
    assert (validate_skill(place) == []) is valid
    assert reference_says_valid(place) is valid


_SCALARS = st.sampled_from(
    [
        "my-skill",
        "x",
        "",
        "'quoted: text'",
        '"double"',
        "a: b",
        "~",
        "1.0",
        "[a]",
        "{a: b}",
        "&a b",
        "*a",
        "!t b",
        "|\n  block\n  text",
        ">-\n  folded\n  text",
        "# comment",
        "a # comment",
        "plain\n  goes on",
        "\n  nested: value",
        "\n- item\n- item",
        "\n  nested:\n    deeper: x",
        "@at",
        "100%",
        "'open",
        "\tx",
        "Ünïcode text 技能",
        "- a",
        "a - b",
        "?",
    ]
)
_KEYS = st.sampled_from(
    ["name", "description", "license", "compatibility", "metadata", "allowed-tools", "extra", "a b"]
)


@settings(deadline=None, derandomize=True)
@given(
    fields=st.lists(st.tuples(_KEYS, _SCALARS), max_size=5),
    good_start=st.booleans(),
    tail=st.sampled_from(["", "\n", "\n# Title\n\n---\n\nx --- y\n"]),
)
def test_verdict_equals_the_references_on_generated_frontmatter(
    fields: list[tuple[str, str]], good_start: bool, tail: str
) -> None:
    lines = ["name: my-skill", "description: x"] if good_start else []
    lines += [f"{key}: {value}" for key, value in fields]
    with tempfile.TemporaryDirectory() as root:
        place = Path(root) / "my-skill"
        place.mkdir()
        text = "---\n" + "".join(f"{line}\n" for line in lines) + "---" + tail
        (place / "SKILL.md").write_text(text, encoding="utf-8")
        assert (validate_skill(place) == []) is reference_says_valid(place)


@settings(deadline=None, derandomize=True)
@given(name=st.text(min_size=1, max_size=70).filter(lambda text: not set(text) & set("/\0")))
def test_names_are_judged_as_by_the_reference(name: str) -> None:
    fields = {"name": name, "description": "x"}
    ours = field_problems(fields, name.strip()) == []
    theirs = validate_metadata(dict(fields), Path(name.strip() or "x")) == []
    assert ours is theirs


def test_a_dash_run_inside_a_value_is_no_delimiter_where_the_reference_breaks(
    put_skill: PutSkill,
) -> None:
    place = put_skill(with_fields("name: my-skill\ndescription: 'a --- b'\nlicense: MIT"))
    assert validate_skill(place) == []
    assert not reference_says_valid(place)  # the weakness that its format notes name


def test_all_problems_are_reported_at_once(put_skill: PutSkill) -> None:
    text = with_fields(f"name: -Bad--Name_\nversion: 1\ncompatibility: {'x' * 501}\na: [1]")
    found = [problem.code for problem in skill_problems(put_skill(text))]
    assert found == [
        "flow_style",
        "unknown_field",
        "name_case",
        "name_hyphen_ends",
        "name_double_hyphen",
        "name_characters",
        "name_folder",
        "missing_description",
        "compatibility_length",
    ]


def test_missing_things_are_problems_not_exceptions(tmp_path: Path) -> None:
    assert "does not exist" in validate_skill(tmp_path / "nowhere")[0]
    assert "missing required file SKILL.md" in validate_skill(tmp_path)[0]
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")
    assert "not a folder" in validate_skill(tmp_path / "a.txt")[0]
    (tmp_path / "SKILL.md").mkdir()
    assert "no regular file" in validate_skill(tmp_path)[0]


def test_bytes_that_are_not_utf8_are_a_problem(put_skill: PutSkill) -> None:
    place = put_skill(GOOD.encode() + b"\xff\xfe")
    assert [problem.code for problem in skill_problems(place)] == ["not_utf8"]


def test_a_file_too_large_to_be_a_skill_is_not_read(put_skill: PutSkill) -> None:
    place = put_skill(GOOD + "x" * (1 << 20))
    assert "larger than" in validate_skill(place)[0]


def test_lower_case_file_path_to_the_file_and_dot_are_accepted(
    put_skill: PutSkill, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = put_skill(GOOD, file="skill.md")
    assert validate_skill(place) == []
    assert validate_skill(place / "skill.md") == []
    monkeypatch.chdir(place)
    assert validate_skill(".") == []
