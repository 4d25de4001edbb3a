"""`Skill`, the text of one SKILL.md with what lies beside it, and the limits of the format. Pure.

Owns the type and the numbers. Refuses to own files (`read.py`, `write.py`) and any judgement
about a skill's quality (`distill/lint.py`). A seventh frontmatter key would need a new field here,
a row in `validate.ALLOWED_FIELDS` and a line in `write.render_skill`.
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

from ..names import slugify

SKILL_FILE = "SKILL.md"
"""The one required file; the reader also takes the lower-case spelling."""

MAX_NAME_CHARS = 64
MAX_DESCRIPTION_CHARS = 1024
MAX_COMPATIBILITY_CHARS = 500
MAX_SKILL_LINES = 500
"""A SKILL.md stays below this many lines; longer material belongs into reference files."""

MAX_REFERENCE_LINES = 300
"""A reference file stays below this many lines."""


@dataclass(frozen=True)
class Skill:
    """One skill: what the frontmatter says, the body, and the names of the files beside it.

    Nothing is checked here: a `Skill` may come from a sloppy file. `validate_skill` judges a
    folder, `writing_problems` judges a value.
    """

    name: str
    """The name as written, stripped and in Unicode form NFKC; may be anything on read."""
    description: str
    """What it does and when to use it; stripped."""
    _: KW_ONLY
    body: str
    """The Markdown after the frontmatter, stripped, with `\\n` line ends."""
    license: str | None = None
    compatibility: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)
    allowed_tools: str | None = None
    """One space-separated string, key `allowed-tools` in the file."""
    path: Path | None = None
    """The skill's folder, absolute; None for a skill that was never on disk."""
    file: str = SKILL_FILE
    """The name of the file in that folder: `SKILL.md`, or its lower-case spelling."""
    resources: tuple[str, ...] = ()
    """Every other file of the folder, relative, with `/`, sorted."""
    digest: str | None = None
    """`folder_digest(path)` when it was read; None in memory, or where the folder holds links."""

    @property
    def slug(self) -> str:
        """The name under which adapters of this skill are stored and served."""
        return slugify(self.name)
