"""Skill folders on disk, written byte by byte."""

from collections.abc import Callable
from pathlib import Path

import pytest

PutSkill = Callable[..., Path]


@pytest.fixture
def put_skill(tmp_path: Path) -> PutSkill:
    """Write a SKILL.md (text or bytes) into a new folder and return the folder."""

    def put(content: str | bytes, folder: str = "my-skill", file: str = "SKILL.md") -> Path:
        place = tmp_path / folder
        place.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes) else content.encode("utf-8")
        (place / file).write_bytes(data)
        return place

    return put
