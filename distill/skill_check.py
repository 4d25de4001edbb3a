"""What `skillweave check` finds out about skill folders, as one report.

Owns the report and how it is put together: verdict of the strict judge, our own reasons to refuse
a skill, advice, what weights can carry, tokens, near-duplicates. Refuses to own any single rule
(`adapters/skills/validate.py`, `lint.py`, `capacity.py`, `near_duplicates.py`) and its looks on a
terminal (`scripts/commands/check.py`).
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, computed_field

from ..adapters.errors import Problem, SkillError
from ..adapters.names import RESERVED
from ..adapters.skills import SKILL_FILE, Skill, read_skill, skill_problems
from .capacity import Part, TokenFigures, parts, token_figures
from .lint import lint_skill
from .near_duplicates import near_duplicates
from .token_meter import TokenMeter, tiny_meter


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Finding(_Frozen):
    """One problem or piece of advice."""

    code: str
    message: str
    remedy: str = ""


class NearDuplicate(_Frozen):
    """Two skills whose descriptions are too alike to route between."""

    first: str
    second: str
    cosine: float


class SkillReport(_Frozen):
    """Everything `check` says about one folder."""

    path: str
    """As it was given."""
    name: str | None
    """None where the skill cannot be read at all."""
    slug: str | None
    """The name its adapters would have."""
    description: str | None
    license: str | None
    problems: tuple[Finding, ...]
    """Reasons why it is invalid, or why it can be neither trained nor stored."""
    advice: tuple[Finding, ...] = ()
    parts: tuple[Part, ...] = ()
    tokens: TokenFigures | None = None

    @computed_field  # type: ignore[prop-decorator]  # mypy: no decorators above property
    @property
    def valid(self) -> bool:
        """No problems."""
        return not self.problems

    @computed_field  # type: ignore[prop-decorator]  # mypy: no decorators above property
    @property
    def weights_carry(self) -> Literal["all", "part", "nothing"]:
        """How much of the skill an adapter can stand for."""
        carried = [part.carried for part in self.parts]
        if not any(carried):
            return "nothing"
        return "all" if all(carried) else "part"


class CheckReport(_Frozen):
    """The report on all folders that were given."""

    skills: tuple[SkillReport, ...]
    near_duplicates: tuple[NearDuplicate, ...] = ()

    @computed_field  # type: ignore[prop-decorator]  # mypy: no decorators above property
    @property
    def valid(self) -> bool:
        """Every skill is valid."""
        return not any(skill.problems for skill in self.skills)

    def to_json(self) -> str:
        """The report as indented JSON."""
        return self.model_dump_json(indent=2)


def check_skills(paths: Sequence[Path | str], *, meter: TokenMeter | None = None) -> CheckReport:
    """Judge skill folders, one by one and against each other.

    Args:
        paths: skill folders, or their SKILL.md files.
        meter: counts tokens; the shipped base's where it is left out.

    Returns:
        The report. Nothing that is wrong with a folder is raised; it is a problem in the report.

    Raises:
        NotFound: the shipped base's tokenizer is not there and no meter was given.
    """
    used = meter or tiny_meter()
    read = [_read(path) for path in paths]
    clashes = _clashes([skill for skill, _ in read if skill is not None])
    reports = [
        _report(str(path), skill, [*problems, *clashes.get(_key(skill), ())], meter=used)
        for path, (skill, problems) in zip(paths, read, strict=True)
    ]
    return CheckReport(skills=tuple(reports), near_duplicates=_near_duplicates(read))


def _read(path: Path | str) -> tuple[Skill | None, list[Problem]]:
    """The skill where it can be read at all, and its problems: the format's and our own."""
    problems = skill_problems(path)
    try:
        skill, warnings = read_skill(path)
    except SkillError as err:
        return None, [*(problems or [Problem("unreadable", str(err))]), *_hint(Path(path))]
    problems += [warning for warning in warnings if warning.code == "no_digest"]
    if skill.name in RESERVED:
        reserved = ", ".join(sorted(RESERVED))
        problems.append(
            Problem(
                "reserved_name",
                f"the name {skill.name!r} is reserved ({reserved}): it can be read, but neither "
                "trained nor stored",
                "rename the skill and its folder",
            )
        )
    return skill, problems


def _hint(path: Path) -> list[Problem]:
    """Where a folder of skills was given for a skill, say so."""
    if not path.is_dir() or (path / SKILL_FILE).exists():
        return []
    below = sorted(p.parent.name for p in path.glob(f"*/{SKILL_FILE}"))
    if not below:
        return []
    says = f"{path} holds {len(below)} skill folder(s), such as {below[0]!r}, and is none itself"
    return [Problem("folder_of_skills", says, f"pass {path}/*")]


def _key(skill: Skill | None) -> str | None:
    return None if skill is None else str(skill.path)


def _clashes(skills: Iterable[Skill]) -> dict[str | None, tuple[Problem, ...]]:
    """Problems by folder, for skills of different folders that would get one slug."""
    folders: dict[str, dict[str, None]] = {}
    for skill in skills:
        folders.setdefault(skill.slug, {})[str(skill.path)] = None
    found: dict[str | None, tuple[Problem, ...]] = {}
    for slug, paths in folders.items():
        for path in paths:
            others = ", ".join(other for other in paths if other != path)
            if others:
                says = f"adapters of this skill would be called {slug!r}, like those of {others}"
                found[path] = (Problem("name_clash", says, "rename one of them"),)
    return found


def _report(
    path: str, skill: Skill | None, problems: list[Problem], *, meter: TokenMeter
) -> SkillReport:
    if skill is None:
        return SkillReport(
            path=path,
            name=None,
            slug=None,
            description=None,
            license=None,
            problems=_findings(problems),
        )
    return SkillReport(
        path=path,
        name=skill.name,
        slug=skill.slug,
        description=skill.description,
        license=skill.license,
        problems=_findings(problems),
        advice=_findings(lint_skill(skill)),
        parts=parts(skill),
        tokens=token_figures(skill, meter),
    )


def _findings(problems: Iterable[Problem]) -> tuple[Finding, ...]:
    return tuple(Finding(code=p.code, message=p.message, remedy=p.remedy) for p in problems)


def _near_duplicates(
    read: Sequence[tuple[Skill | None, list[Problem]]],
) -> tuple[NearDuplicate, ...]:
    descriptions = {str(skill.path): skill.description for skill, _ in read if skill is not None}
    names = {str(skill.path): skill.name for skill, _ in read if skill is not None}
    return tuple(
        NearDuplicate(first=names[a], second=names[b], cosine=round(value, 3))
        for a, b, value in near_duplicates(descriptions)
    )
