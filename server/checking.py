"""Everything that can be found out about a configuration without starting anything.

Owns the list of checks, which are those that a start makes first. Refuses to open ports: a server
with this configuration may well be running.
"""

from pathlib import Path

from .access_plan import access_of
from .config import ServeConfig
from .engines.launch import PLANS, Place, check_engine
from .plan import make_plan


def check_config(config: ServeConfig) -> list[str]:
    """Check base, store, skills, router, keys and engine; returns lines for people.

    Raises:
        UsageError, EngineMissing, SkillError, RouterError, StaleRouter: as at a start.
    """
    check_engine(config)
    access_of(config)
    plan = make_plan(config)
    if config.engine_url is not None:
        return [*plan.lines]
    place = Place(0, "", Path())
    flags = PLANS[config.engine](config, plan.facts, place).explain()
    return [*plan.lines, *(f"  {line}" for line in flags)]
