"""A skill's text enters a conversation by one rule."""

import pytest
import skills_ref
from skillweave.adapters.skills import Skill, read_skill, system_prompt, to_prompt

from .conftest import PutSkill


@pytest.mark.parametrize(
    ("body", "system", "expected"),
    [
        ("Do it.\n", None, "Do it."),
        ("\n Do it.", "", "Do it."),
        ("Do it.", "  \n", "Do it."),
        ("Do it.", "You help.", "You help.\n\nDo it."),
        ("Do it.", "You help.\n\n\n", "You help.\n\nDo it."),
        ("Do it.", "  indented", "  indented\n\nDo it."),
        (" ", "You help.", "You help."),
        ("", None, ""),
    ],
)
def test_the_body_follows_the_system_text_behind_one_blank_line(
    body: str, system: str | None, expected: str
) -> None:
    assert system_prompt(Skill("a", "b", body=body), system) == expected


def test_the_catalogue_is_that_of_the_reference(put_skill: PutSkill) -> None:
    folders = [
        put_skill("---\nname: a\ndescription: 'x < y & \"z\"'\n---\nbody\n", "a"),
        put_skill("---\nname: b\ndescription: it's\n---\nbody\n", "b"),
    ]
    skills = [read_skill(folder)[0] for folder in folders]
    assert to_prompt(skills) == skills_ref.to_prompt(folders)
    assert to_prompt([]) == skills_ref.to_prompt([])


def test_a_skill_that_was_never_on_disk_has_no_location() -> None:
    assert to_prompt([Skill("a", "b", body="c")]) == (
        "<available_skills>\n<skill>\n<name>\na\n</name>\n<description>\nb\n</description>\n"
        "</skill>\n</available_skills>"
    )
