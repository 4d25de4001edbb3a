"""One digest for the files of a skill, wherever the folder lies."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest
from skillweave.adapters.errors import SkillError
from skillweave.adapters.skills import folder_digest, skill_files
from skillweave.adapters.skills.folder import MAX_FILES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "a"
    (place / "scripts").mkdir(parents=True)
    (place / "SKILL.md").write_bytes(b"text")
    (place / "scripts" / "run.py").write_bytes(b"pass")
    return place


def test_digest_is_the_stated_formula(folder: Path) -> None:
    expected = hashlib.sha256()
    for name, content in ((b"SKILL.md", b"text"), (b"scripts/run.py", b"pass")):
        expected.update(len(name).to_bytes(8, "big") + name + hashlib.sha256(content).digest())
    assert folder_digest(folder) == expected.hexdigest()


def test_place_times_modes_and_empty_folders_do_not_count(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "b"
    shutil.copytree(folder, copy)
    os.utime(copy / "SKILL.md", (0, 0))
    (copy / "SKILL.md").chmod(0o600)
    (copy / "empty").mkdir()
    assert folder_digest(copy) == folder_digest(folder)


def test_content_name_and_an_added_file_count(folder: Path) -> None:
    seen = {folder_digest(folder)}
    (folder / "SKILL.md").write_bytes(b"text2")
    seen.add(folder_digest(folder))
    (folder / "scripts" / "run.py").rename(folder / "scripts" / "go.py")
    seen.add(folder_digest(folder))
    (folder / ".hidden").write_bytes(b"")
    seen.add(folder_digest(folder))
    assert len(seen) == 4


def test_history_and_installed_packages_are_no_part_of_a_skill(folder: Path) -> None:
    before = folder_digest(folder)
    for name in (".git", "node_modules"):
        (folder / name).mkdir()
        (folder / name / "x").write_bytes(b"x")
    assert folder_digest(folder) == before
    assert skill_files(folder) == ("SKILL.md", "scripts/run.py")


@pytest.mark.parametrize("target", ["SKILL.md", "scripts", "/nowhere"])
def test_links_are_refused(folder: Path, target: str) -> None:
    (folder / "link").symlink_to(target)
    with pytest.raises(SkillError, match="link is a symbolic link"):
        folder_digest(folder)


def test_special_files_are_refused_without_being_opened(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(SkillError, match="pipe is a special file"):
        folder_digest(folder)


def test_a_folder_with_too_many_files_is_refused(tmp_path: Path) -> None:
    for number in range(MAX_FILES + 1):
        (tmp_path / str(number)).touch()
    with pytest.raises(SkillError, match=f"more than {MAX_FILES} files"):
        skill_files(tmp_path)
