"""The forms of answers that roles give, each a pydantic model. Pure.

Owns what a teacher's answer must look like to be taken. Refuses to own what is asked (`roles.py`).
To add a form: a model here, named by its role's row. Unknown keys, missing keys and names that
cannot be a skill's are malformed answers.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ...adapters.names import validate_name
from ..bank.types import OpKind, SkillText


class Form(BaseModel):
    """Frozen, no unknown keys, no NaN."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class Cause(Form):
    """Why an answer failed."""

    failure_mode: str
    """A short label that recurs from case to case; empty where nothing failed."""
    step: int | None = None
    """The first step that went wrong, from 1; null where no step is to blame."""
    why: str = ""


class Proposal(Form):
    """What to change in a bank; nothing is changed by it."""

    action: OpKind | Literal["none"]
    targets: tuple[str, ...] = ()
    """Names of the skills to act on; none for `create` and `none`."""
    description: str = ""
    """What the new text has to say."""
    rationale: str = ""


class Draft(Form):
    """A skill as written by a teacher; a bank still judges it."""

    name: str
    """Lower-case letters, digits and hyphens."""
    description: str = Field(min_length=1)
    """What it does and when to use it, one line."""
    body: str = Field(min_length=1)
    """The procedure, Markdown."""

    @field_validator("name")
    @classmethod
    def _is_slug(cls, name: str) -> str:
        return validate_name(name)


class Drafts(Form):
    """Skills extracted from experience."""

    skills: tuple[Draft, ...]


class Judgement(Form):
    """Whether an answer is right, in a judge's eyes; it may inform, it never decides."""

    passed: bool
    reason: str = ""


class Challenge(Form):
    """A request to solve, with the answer where the challenger knows it."""

    request: str = Field(min_length=1)
    answer: str | None = None


class Challenges(Form):
    """New requests."""

    challenges: tuple[Challenge, ...]


class Labels(Form):
    """The skills that a request needs, by name."""

    skills: tuple[str, ...]


class Lesson(Form):
    """One reusable step: a name and one sentence of instruction."""

    name: str
    instruction: str = Field(min_length=1)

    @field_validator("name")
    @classmethod
    def _is_slug(cls, name: str) -> str:
        return validate_name(name)


class Lessons(Form):
    """What reflection on a solution found worth keeping."""

    lessons: tuple[Lesson, ...]


def drafted(
    draft: Draft, *, like: SkillText | None = None, license: str | None = None
) -> SkillText:
    """A draft as a text for a bank.

    Args:
        like: the text that it rewrites; licence, metadata and files are kept.
        license: of a new skill.
    """
    told = {
        "name": draft.name,
        "description": " ".join(draft.description.split()),
        "body": draft.body.strip().replace("\r\n", "\n"),
    }
    if like is not None:
        return like.model_copy(update=told)
    return SkillText(**told, license=license)
