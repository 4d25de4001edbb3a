"""Which combinations a base may see in pretraining, and in which split a task stands. Pure.

A combination is (shape, kind of place, kind of fixture, thing). It is held out by a hash, so no
order of generation can change it. A base sees a skill only where both of its combinations are open;
a held-out skill has both of them held out. Tasks are dealt to splits by a hash of their content:
splits are disjoint whatever the seeds are.
"""

import hashlib

from ..types import Split
from .nouns import kind_of
from .spec import HouseholdSpec

HELD_OUT_SHARE = 0.15
SPLITS: tuple[Split, ...] = ("pretrain", "train", "dev", "test")


def combinations(spec: HouseholdSpec) -> tuple[str, ...]:
    """The keys of a skill, one for each of its things."""
    place = kind_of(spec.place) if spec.place else "-"
    fixture = kind_of(spec.fixture) if spec.fixture else "-"
    return tuple(f"{spec.shape}>{place}>{fixture}>{thing}" for thing, _ in spec.homes)


def is_hashed_out(key: str) -> bool:
    """Whether a combination is held out."""
    return _share(f"household>{key}") < HELD_OUT_SHARE


def is_held_out(spec: HouseholdSpec) -> bool:
    """True where a base never saw any of the skill's combinations."""
    return all(map(is_hashed_out, combinations(spec)))


def is_open(spec: HouseholdSpec) -> bool:
    """True where a base may see the skill; some skills are neither open nor held out."""
    return not any(map(is_hashed_out, combinations(spec)))


def split_of(task_id: str) -> Split:
    """The split in which a task stands."""
    return SPLITS[int(_share(f"split>{task_id}") * len(SPLITS))]


def _share(key: str) -> float:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) / 2**64
