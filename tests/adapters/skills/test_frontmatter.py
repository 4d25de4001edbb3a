"""The syntax of SKILL.md: delimiter lines, string scalars, repair."""

import pytest
from skillweave.adapters.errors import SkillError
from skillweave.adapters.skills.frontmatter import parse_document


def codes(text: str) -> list[str]:
    return [problem.code for problem in parse_document(text).problems]


def test_delimiters_are_lines_so_values_and_bodies_may_hold_dashes() -> None:
    text = "---\nname: a\ndescription: before --- after\n---\none\n\n---\n\ntwo --- three\n---\n"
    document = parse_document(text)
    assert document.fields == {"name": "a", "description": "before --- after"}
    assert document.body == "one\n\n---\n\ntwo --- three\n---"
    assert document.problems == ()


def test_blanks_behind_a_delimiter_do_not_matter() -> None:
    assert parse_document("---  \na: b\n--- \nx").fields == {"a": "b"}


def test_every_scalar_stays_the_string_that_was_written() -> None:
    text = "---\na: 1.0\nb: yes\nc: null\nd: 2024-01-01\ne:\nf: 0x10\ng: '1'\nh: ~\n---\n"
    assert parse_document(text).fields == {
        "a": "1.0",
        "b": "yes",
        "c": "null",
        "d": "2024-01-01",
        "e": "",
        "f": "0x10",
        "g": "1",
        "h": "~",
    }


def test_block_scalars_and_nesting_are_read() -> None:
    text = "---\na: |\n  x\n  y\nb: >-\n  x\n  y\nm:\n  k: v\n  l:\n  - 1\n  - 2\n---\n"
    assert parse_document(text).fields == {
        "a": "x\ny\n",
        "b": "x y",
        "m": {"k": "v", "l": ["1", "2"]},
    }


@pytest.mark.parametrize(
    ("yaml_text", "code"),
    [
        ("a: 1\na: 2", "duplicate_key"),
        ("m:\n  a: 1\n  a: 2", "duplicate_key"),
        ("a: &x 1", "anchor"),
        ("a: *x", "alias"),
        ("a: !!str 1", "tag"),
        ("a: !own 1", "tag"),
        ("a: [1, 2]", "flow_style"),
        ("a: {b: c}", "flow_style"),
        ("<<: x", "merge_key"),
        ("? - a\n: b", "odd_key"),
    ],
)
def test_syntax_outside_the_strict_subset_is_a_problem(yaml_text: str, code: str) -> None:
    assert code in codes(f"---\n{yaml_text}\n---\n")


def test_all_problems_are_collected_not_only_the_first() -> None:
    found = codes("\ufeff\n---\na: &x 1\na: !!str 2\nb: [1]\n---\n")
    assert found == ["bom", "blank_start", "anchor", "tag", "duplicate_key", "flow_style"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no frontmatter"),
        ("# Title\n", "found '# Title'"),
        ("name: x\n---\n", "no frontmatter"),
        ("---\nname: x\n", "not closed"),
        ("---\nname: x\n  ---\n", "not closed"),
        ("---\n---\n", "no YAML mapping"),
        ("---\n- a\n---\n", "no YAML mapping"),
        ("---\njust text\n---\n", "no YAML mapping"),
        ("---\na: b\nc: d: e\n---\n", "line 3"),
        ("---\na: b\n--- # second\nc: d\n---\n", "several YAML documents"),
        ("---\na: \x07\n---\n", "not usable YAML"),
        ("---\na: " + "[" * 100 + "\n---\n", "nested deeper"),
    ],
)
def test_text_without_usable_frontmatter_is_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(SkillError, match=says):
        parse_document(text)


@pytest.mark.parametrize(
    ("yaml_text", "fields"),
    [
        ("description: Use when: asked", {"description": "Use when: asked"}),
        ("description: it's so: yes", {"description": "it's so: yes"}),
        ("description: Use when: a\n  goes on: b", {"description": "Use when: a goes on: b"}),
        ("m:\n  k: a: b\n  l: c", {"m": {"k": "a: b", "l": "c"}}),
        ("a: @me", {"a": "@me"}),
        ("a: b\x07c", {"a": "b c"}),
        ('a: "k: v"\nb: x: y', {"a": "k: v", "b": "x: y"}),
        ("a: |\n  k: v: w\nb: x: y", {"a": "k: v: w\n", "b": "x: y"}),
    ],
)
def test_repair_quotes_what_yaml_would_misread(yaml_text: str, fields: dict[str, object]) -> None:
    text = f"---\n{yaml_text}\n---\n"
    with pytest.raises(SkillError):
        parse_document(text)
    repaired = parse_document(text, repair=True)
    assert repaired.fields == fields
    assert [problem.code for problem in repaired.problems] == ["repaired"]


@pytest.mark.parametrize("old_break", ["\x85", "\u2028", "\u2029"])
def test_unicode_line_breaks_cannot_smuggle_in_a_key(old_break: str) -> None:
    assert parse_document(f"---\na: x{old_break}b:z\n---\n").fields == {"a": "x b:z"}


def test_repair_does_not_guess_beyond_quoting() -> None:
    with pytest.raises(SkillError, match="line 2"):
        parse_document("---\n\tname: x\n---\n", repair=True)
