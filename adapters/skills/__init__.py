"""The skill TEXT: read, judge, write and find SKILL.md folders. See README.md beside this file."""

from .discover import Discovery, discover_skills
from .folder import folder_digest, scan_folder, skill_files
from .model import (
    MAX_COMPATIBILITY_CHARS,
    MAX_DESCRIPTION_CHARS,
    MAX_NAME_CHARS,
    MAX_REFERENCE_LINES,
    MAX_SKILL_LINES,
    SKILL_FILE,
    Skill,
)
from .prompt import system_prompt, to_prompt
from .read import read_skill
from .validate import skill_problems, validate_skill
from .write import render_skill, write_skill, writing_problems

__all__ = [
    "MAX_COMPATIBILITY_CHARS",
    "MAX_DESCRIPTION_CHARS",
    "MAX_NAME_CHARS",
    "MAX_REFERENCE_LINES",
    "MAX_SKILL_LINES",
    "SKILL_FILE",
    "Discovery",
    "Skill",
    "discover_skills",
    "folder_digest",
    "read_skill",
    "render_skill",
    "scan_folder",
    "skill_files",
    "skill_problems",
    "system_prompt",
    "to_prompt",
    "validate_skill",
    "write_skill",
    "writing_problems",
]
