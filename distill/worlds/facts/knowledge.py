"""Facts as knowledge: documents without a skill, and manipulations learned on other facts.

Owns what papers on knowledge in weights need. `documents` is what a model may learn facts from; a
`KnowledgeSplit` has tables on which a manipulation is learned (the source) and tables with other
entities on which it is tried (the target).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ....adapters.skills import Skill
from .classes import CLASSES
from .held_out import TABLE_SIZES, draw_facts
from .spec import FactsSpec
from .tasks import facts_skill, spec_of
from .texts import fact_documents


@dataclass(frozen=True)
class KnowledgeSplit:
    """Skills whose tables share no entity; all are asked in the same ways."""

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
    skills = []
    for name in rng.sample(tuple(CLASSES), num):
        entities = rng.sample(CLASSES[name], rng.choice(TABLE_SIZES))
        facts = draw_facts(entities, rng, held_out=True)
        skills.append(facts_skill(FactsSpec(name, facts, tuple(manipulations)), seed=seed))
    return KnowledgeSplit(tuple(skills[:num_source]), tuple(skills[num_source:]))
