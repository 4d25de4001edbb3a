"""The string world's programmatic teacher as an author: write, extract, rewrite, merge.

Owns texts: honest, wrong and junk. Told the truth (a checker) it is exact; without it, it induces
from worked examples. Refuses to own the other roles (`string_readers.py`) and the rates.
"""

from collections.abc import Mapping
from typing import cast

from ..worlds.string_skills.spec import SkillSpec
from ..worlds.string_skills.texts import irrelevant_body, skill_body, skill_description
from .answers import Draft, Drafts
from .induction import induced
from .roles import TRUTH, Payload
from .string_told import Rng, Rows, broken, rows_of, spec_of

_JUNK_WORDS = 40


def _draft(told: Payload, spec: SkillSpec | None, rng: Rng) -> Draft:
    if spec is None:
        return junk_draft(told, rng)
    return Draft(
        name=str(told.get("name", f"{spec.topic}-routine")),
        description=skill_description(spec, rng),
        body=skill_body(spec, rng),
    )


def junk_draft(told: Payload, rng: Rng) -> Draft:
    """A text without a procedure."""
    return Draft(
        name=str(told.get("name", "a-note")),
        description="Read it. Use when there is nothing else to read.",
        body=irrelevant_body(rng, _JUNK_WORDS),
    )


def write(told: Payload, rng: Rng) -> Draft:
    """A skill of the procedure that the examples show."""
    return _draft(told, spec_of(told), rng)


def write_wrong(told: Payload, rng: Rng) -> Draft:
    """The same with one operation that does something else."""
    spec = spec_of(told)
    return _draft(told, spec and broken(spec, rng), rng)


def extract(told: Payload, rng: Rng) -> Drafts:
    """One skill of each family of traces that passed."""
    return _extracted(told, rng, wrong=False)


def extract_wrong(told: Payload, rng: Rng) -> Drafts:
    """The same, each with one operation that does something else."""
    return _extracted(told, rng, wrong=True)


def extract_junk(told: Payload, rng: Rng) -> Drafts:
    """One text without a procedure."""
    return Drafts(skills=(junk_draft({}, rng),))


def _extracted(told: Payload, rng: Rng, *, wrong: bool) -> Drafts:
    families: dict[str, Rows] = {}
    for row in rows_of(told, "traces"):
        if row.get("passed", True):
            families.setdefault(str(row.get("family", "")), []).append(row)
    specs = [(family, induced(rows)) for family, rows in sorted(families.items())]
    return Drafts(
        skills=tuple(
            _draft({"name": family} if family else {}, broken(s, rng) if wrong else s, rng)
            for family, s in specs
            if s is not None
        )
    )


def rewrite(told: Payload, rng: Rng) -> Draft:
    """Another wording of the true procedure; without the truth, the text without ornaments."""
    old = cast(Mapping[str, str], told["skill"])
    if TRUTH in told:
        return _draft({"name": old["name"]}, spec_of(told), rng)
    return _kept(old, [line for line in _lines(old) if not line.startswith("#")])


def rewrite_wrong(told: Payload, rng: Rng) -> Draft:
    """The text without one of its lines."""
    old = cast(Mapping[str, str], told["skill"])
    lines = _lines(old)
    del lines[rng.randrange(len(lines))]
    return _kept(old, lines)


def merge(told: Payload, rng: Rng) -> Draft:
    """Every line of every skill, each once."""
    del rng
    skills = rows_of(told, "skills")
    lines = list(dict.fromkeys(line for skill in skills for line in _lines(skill)))
    return _kept({**skills[0], "name": str(told.get("name", skills[0]["name"]))}, lines)


def merge_wrong(told: Payload, rng: Rng) -> Draft:
    """One of the skills alone."""
    chosen = rng.choice(rows_of(told, "skills"))
    return _kept({**chosen, "name": str(told.get("name", chosen["name"]))}, _lines(chosen))


def _lines(skill: Mapping[str, str]) -> list[str]:
    return [line for line in skill["body"].splitlines() if line.strip()]


def _kept(old: Mapping[str, str], lines: list[str]) -> Draft:
    body = "\n".join(lines) or old["body"]
    return Draft(name=old["name"], description=old["description"], body=body)


def junk_rewrite(told: Payload, rng: Rng) -> Draft:
    """A text without a procedure under the old name."""
    old = told["skill"] if "skill" in told else rows_of(told, "skills")[0]
    return junk_draft({"name": cast(Mapping[str, str], old)["name"]}, rng)
