"""The programmatic teacher of the string world: every role, honest, wrong and as junk.

Owns the table. What each role says stands in `string_authors.py` and `string_readers.py`, how often
it errs in `programmatic.py`. Another world brings a table like this one.
"""

from collections.abc import Collection, Mapping

from . import string_authors as authors
from . import string_readers as readers
from .answers import Cause, Lessons, Proposal
from .asking import AskedTeacher
from .programmatic import Craft, ProgrammaticSource, Rates
from .records import Records
from .roles import PRIVILEGED, RoleName
from .types import TeacherBudget

CRAFTS: Mapping[RoleName, Craft] = {
    "write": Craft(authors.write, authors.write_wrong, authors.junk_draft),
    "extract": Craft(authors.extract, authors.extract_wrong, authors.extract_junk),
    "rewrite": Craft(authors.rewrite, authors.rewrite_wrong, authors.junk_rewrite),
    "merge": Craft(authors.merge, authors.merge_wrong, authors.junk_rewrite),
    "judge": Craft(readers.judge, readers.judge_wrong, readers.judge_junk),
    "challenge": Craft(readers.challenge, readers.challenge_wrong, readers.challenge_junk),
    "attribute": Craft(
        readers.attribute, readers.attribute_wrong, lambda told, rng: Cause(failure_mode="other")
    ),
    "propose": Craft(
        readers.propose, readers.propose_wrong, lambda told, rng: Proposal(action="none")
    ),
    "label_skills": Craft(readers.label, readers.label_wrong, readers.label_junk),
    "reflect": Craft(readers.reflect, readers.reflect_wrong, lambda told, rng: Lessons(lessons=())),
}


def string_teacher(
    *,
    rates: Mapping[RoleName, Rates] | None = None,
    privileged: Collection[str] = PRIVILEGED,
    attempts: int = 3,
    records: Records | None = None,
    budget: TeacherBudget | None = None,
) -> AskedTeacher:
    """A deterministic teacher of the string world; see `AskedTeacher` and `ProgrammaticSource`."""
    return AskedTeacher(
        ProgrammaticSource(CRAFTS, label="string_skills", rates=rates),
        attempts=attempts,
        records=records,
        budget=budget,
        privileged=privileged,
    )
