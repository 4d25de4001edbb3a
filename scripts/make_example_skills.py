"""Write the shipped example skills: held-out compositions of the string world.

`python -m skillweave.scripts.make_example_skills examples/skills`
"""

import argparse
import random
from pathlib import Path

from ..adapters.skills import write_skill
from ..distill.worlds.string_skills import SkillSpec, held_out_spec, string_skill

TOPICS_AND_STEPS = (
    ("picnic", 1),
    ("orchestra", 2),
    ("harbour", 2),
    ("bakery", 2),
    ("mountain", 3),
    ("circus", 3),
)
SEED = 0


def example_specs() -> list[SkillSpec]:
    """The procedures of the shipped skills, drawn once by a fixed seed."""
    rng = random.Random(f"examples:{SEED}")
    drawn = [(topic, held_out_spec(rng, steps)) for topic, steps in TOPICS_AND_STEPS]
    return [SkillSpec(spec.operations, spec.format, topic) for topic, spec in drawn]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    for spec in example_specs():
        skill = string_skill(spec, seed=SEED)
        write_skill(skill, out / skill.name)


if __name__ == "__main__":
    main()
