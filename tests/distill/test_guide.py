"""The guide to skills and the rooms' tables say what is so."""

import inspect
import re
from pathlib import Path

import pytest
import typer
from skillweave.adapters.skills import read_skill, validate_skill
from skillweave.distill import trainable
from skillweave.distill.preflight import MIN_GAIN
from skillweave.distill.skill_training import SkillTraining
from skillweave.distill.tiny_base import tiny_base_path
from skillweave.distill.token_meter import MAX_BYTE_SHARE
from skillweave.distill.trainable import checked
from skillweave.distill.worlds.string_skills import SkillSpec
from skillweave.distill.worlds.string_skills.formats import FORMATS
from skillweave.distill.worlds.string_skills.primitives import PRIMITIVES, parameter_values
from skillweave.distill.worlds.string_skills.topics import TOPICS
from skillweave.scripts.cli import VERBS, load

from .reading import formats_in, operations_in


@pytest.fixture
def guide(repository: Path) -> str:
    return (repository / "docs" / "guide" / "skills.md").read_text()


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.S)


def test_the_example_can_be_trained_and_its_two_descriptions_agree(
    guide: str, tmp_path: Path
) -> None:
    (text,) = blocks(guide, "markdown")
    folder = tmp_path / "farm-list"
    folder.mkdir()
    (folder / "SKILL.md").write_text(text)
    assert validate_skill(folder) == []
    skill, _ = read_skill(folder)
    assert checked(skill, tiny_base_path()).family == "farm-list"
    spec = SkillSpec.from_json(skill.metadata["skillweave.checker"])
    assert (operations_in(skill.body), formats_in(skill.body)) == (
        spec.operations,
        (spec.format,),
    )
    (shown,) = blocks(guide, "json")
    assert SkillSpec.from_json(shown) == spec
    assert f"`final: {spec.final(tuple('bcdf'))}`" in guide


def test_every_step_format_and_bound_is_named(guide: str) -> None:
    for name in (*PRIMITIVES, *FORMATS):
        assert f"`{name}`" in guide, name
    for row in FORMATS.values():
        assert f"`{row.name}` (`{row.write(('b', 'c'))}`)" in " ".join(guide.split())
    told = {
        name: cells[1]
        for line in guide.splitlines()
        if (cells := [cell.strip() for cell in line.strip("|").split("|")])[0].startswith("`")
        for name in re.findall("`([a-z-]+)`", cells[0])
        if name in PRIMITIVES
    }
    assert told.keys() == PRIMITIVES.keys()
    for kind, cell in told.items():
        for value in {v for params in parameter_values(kind) for v in params if v.isdigit()}:
            low, _, high = cell.replace("`", "").split(",")[0].partition(" to ")
            listed = re.findall(r"`(\d)`", cell)
            assert value in listed or (high and int(low) <= int(value) <= int(high)), kind
    assert f"at most {MAX_BYTE_SHARE:.0%}".replace("%", " %") in guide
    assert f"less than\n   {MIN_GAIN * 100:.0f} points" in guide
    assert f"{SkillTraining().preflight_requests} requests" in guide


def test_every_command_has_the_options_that_it_is_shown_with(guide: str, repository: Path) -> None:
    lines = [line for block in blocks(guide, "bash") for line in block.splitlines()]
    assert len(lines) >= 5
    for line in lines:
        name, verb, *words = line.split()
        assert name == "skillweave"
        assert verb in VERBS
        command = typer.main.get_command(load(verb))
        known = {option for parameter in command.params for option in parameter.opts}
        for word in words:
            if word.startswith("--"):
                assert word in known, line
            elif "/" in word:
                assert (repository / word).is_dir(), line


@pytest.mark.parametrize("room", ["distill", "distill/worlds", "distill/worlds/string_skills"])
def test_the_tables_name_every_module(repository: Path, room: str) -> None:
    readme = "distill/worlds" if room.endswith("string_skills") else room
    page = (repository / readme / "README.md").read_text()
    for path in (repository / room).iterdir():
        if path.suffix == ".py" and path.name != "__init__.py":
            assert f"`{path.name}`" in page, path.name
        elif path.is_dir() and any(path.glob("*.py")):
            assert f"`{path.name}/`" in page, path.name


def test_the_worlds_page_counts_right(repository: Path) -> None:
    page = (repository / "distill" / "worlds" / "README.md").read_text()
    assert f"{len(PRIMITIVES)} primitives" in page
    assert f"{len(FORMATS)} formats, {len(TOPICS)} topics" in page


def test_a_refusal_points_at_this_guide(repository: Path) -> None:
    named = re.findall(r"\((docs/[\w/.-]+)\)", inspect.getsource(trainable))
    assert named == ["docs/guide/skills.md"]
    assert (repository / named[0]).is_file()
