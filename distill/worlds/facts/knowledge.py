"""Facts as knowledge: documents without a skill, and manipulations learned on other facts.

Owns what papers on knowledge in weights need. `documents` is what a model may learn facts from; a
`KnowledgeSplit` has tables on which a manipulation is learned (the source) and tables with other
entities on which it is tried (the target); `tasks_across` asks for facts of two tables at once.
"""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ....adapters.skills import Skill
from ..string_skills.primitives import Symbols
from ..types import Split
from .classes import CLASSES
from .held_out import TABLE_SIZES, draw_facts
from .manipulations import MANIPULATIONS
from .requests import Wording, request_text
from .spec import FactsSpec
from .tasks import MAX_TRIES, NAME, FactTask, facts_skill, spec_of
from .texts import fact_documents


@dataclass(frozen=True)
class KnowledgeSplit:
    """Skills whose tables share no entity and no code; all are asked in the same ways."""

    source: tuple[Skill, ...]
    target: tuple[Skill, ...]


def documents(skill: Skill) -> tuple[str, ...]:
    """A skill's facts as plain sentences, one document each, every fact in every wording.

    Raises:
        SkillError: the skill is of another world.
    """
    return fact_documents(spec_of(skill))


def knowledge_split(
    manipulations: Sequence[str], *, num_source: int, num_target: int, seed: int
) -> KnowledgeSplit:
    """Draw tables of facts that no base has seen, one class of entities each.

    Which manipulation a base has seen in which class is not looked at here: closed-book, it has
    seen none of these facts.

    Raises:
        ValueError: more tables than classes, or an unknown manipulation.
    """
    num = num_source + num_target
    if num > len(CLASSES):
        raise ValueError(f"asked for {num} tables, expected at most {len(CLASSES)}")
    rng = random.Random(f"knowledge:{seed}")
    skills, taken = [], set[Symbols]()
    for name in rng.sample(tuple(CLASSES), num):
        entities = rng.sample(CLASSES[name], rng.choice(TABLE_SIZES))
        facts = draw_facts(entities, rng, held_out=True)
        while taken & {code for _, code in facts}:
            facts = draw_facts(entities, rng, held_out=True)
        taken |= {code for _, code in facts}
        skills.append(facts_skill(FactsSpec(name, facts, tuple(manipulations)), seed=seed))
    return KnowledgeSplit(tuple(skills[:num_source]), tuple(skills[num_source:]))


def tasks_across(
    skills: Sequence[Skill],
    manipulation: str,
    split: Split,
    num_tasks: int,
    *,
    seed: int,
    exclude: Collection[str] = (),
) -> list[FactTask]:
    """Distinct requests that combine a fact of one table with a fact of another.

    Args:
        skills: tables without a common entity; each comes first in `num_tasks` requests, and those
            are of its family.
        manipulation: one that combines two facts.
        exclude: ids of other splits.

    Raises:
        ValueError: one table alone, a manipulation of one fact, or nothing left that is not used.
    """
    row = MANIPULATIONS[manipulation]
    if len(skills) < 2 or row.num_facts != 2:
        raise ValueError(
            f"{len(skills)} tables and {manipulation!r}, which takes {row.num_facts} fact(s): "
            "expected at least 2 tables and a manipulation of 2 facts"
        )
    rng = random.Random(f"across:{NAME}:{seed}:{split}:{manipulation}")
    tables = {skill.name: spec_of(skill).facts for skill in skills}
    used, out = set(exclude), list[FactTask]()
    for name, facts in tables.items():
        others = [fact for other, rows in tables.items() if other != name for fact in rows]
        for number in range(num_tasks):
            wording: Wording = "unseen" if split == "test" and number % 2 else "seen"
            for _ in range(MAX_TRIES):
                asked = (rng.choice(facts), rng.choice(others))
                request = request_text(manipulation, asked, rng, wording=wording)
                task = FactTask(name, split, request, manipulation, asked, wording)
                if row.fits(asked) and task.id not in used:
                    break
            else:
                raise ValueError(f"table {name!r} has no request with another that is not used")
            used.add(task.id)
            out.append(task)
    return out
